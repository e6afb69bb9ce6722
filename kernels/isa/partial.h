/* SPDX-License-Identifier: MIT
 *
 * Partial loads and stores for ISAs without masked memory access: through a padded register-sized buffer, so
 * that the lanes go through the same arithmetic as full ones.
 */
SL_INLINE vf v_load_n(const float *p, size_t n, float fill)
{
    float lane[SL_W];
    for (size_t l = 0; l < SL_W; l++)
        lane[l] = l < n ? p[l] : fill;
    return v_load(lane);
}

SL_INLINE void v_store_n(float *p, vf a, size_t n)
{
    float lane[SL_W];
    v_store(lane, a);
    for (size_t l = 0; l < SL_W && l < n; l++)
        p[l] = lane[l];
}
