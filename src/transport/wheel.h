/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Embedded in what is to be woken; zeroed when it lies in no slot. */
typedef struct _HarkWheelLink HarkWheelLink;
struct _HarkWheelLink
{
  HarkWheelLink *next;
  HarkWheelLink *prev;
};

#define HARK_WHEEL_SLOTS 64

/**
 * HarkWheel:
 *
 * A timing wheel: a ring of lists, one per tick. Thousands of connections each have a time-out that nearly never comes
 * due; a GSource for each, or a look at all of them every second, would cost more than their traffic.
 */
typedef struct
{
  HarkWheelLink slots[HARK_WHEEL_SLOTS]; /* heads of circular lists */
  guint current;
} HarkWheel;

typedef void (*HarkWheelFunc) (HarkWheelLink *link, gpointer data);

void hark_wheel_init (HarkWheel *self);
void hark_wheel_add (HarkWheel *self, HarkWheelLink *link, guint ticks);
void hark_wheel_remove (HarkWheelLink *link);
void hark_wheel_advance (HarkWheel *self, HarkWheelFunc func, gpointer data);

G_END_DECLS
