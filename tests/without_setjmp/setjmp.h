/* SPDX-License-Identifier: MIT
 *
 * Of nothing: cmocka.h here needs none of it.
 */
