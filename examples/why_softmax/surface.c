/* SPDX-License-Identifier: MIT
 *
 * The surface z = x^2 + y^2 and its level curve z = 1.
 */
#include "story.h"

#include <math.h>

static double height(double x, double y) { return x * x + y * y; }

void surface(void)
{
    enum { SIDE = 41, RAYS = 65 };
    double axis[SIDE], z[SIDE * SIDE], circle[2 * RAYS], away = 0;
    for (int i = 0; i < SIDE; i++)
        axis[i] = -1.5 + i * 3.0 / (SIDE - 1);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            z[i * SIDE + j] = height(axis[j], axis[i]);
    /* From the middle outwards along a ray until the height is 1. */
    for (int i = 0; i < RAYS; i++) {
        const double t = -1 + 2.0 * i / (RAYS - 1), turn = i % 2 ? -1 : 1;
        const double dx = turn * (1 - t * t) / (1 + t * t), dy = 2 * t / (1 + t * t);
        double near = 0, far = 2;
        for (int halving = 0; halving < 60; halving++) {
            const double middle = (near + far) / 2;
            if (height(middle * dx, middle * dy) < 1)
                near = middle;
            else
                far = middle;
        }
        circle[2 * i] = far * dx;
        circle[2 * i + 1] = far * dy;
        away = fmax(away, fabs(far - 1));
    }
    show("surface_axis", SIDE, axis);
    show("surface_height", (size_t)SIDE * SIDE, z);
    show("level_curve", 2 * (size_t)RAYS, circle);
    SHOW("level_curve_radius_minus_1", away);
    SHOW("surface_range", 0, height(axis[0], axis[0]));
    expect(away < 1e-15, "the level curve z = 1 is the circle of radius 1");
}
