/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define HARK_TYPE_HAND_OVER (hark_hand_over_get_type ())
G_DECLARE_FINAL_TYPE (HarkHandOver, hark_hand_over, HARK, HAND_OVER, GObject)

/**
 * HarkHandOverFunc:
 *
 * Something waits: to be taken with hark_hand_over_pop (), as much as shall be done in one turn. What is left brings
 * the next call.
 */
typedef void (*HarkHandOverFunc) (HarkHandOver *self, gpointer data);

HarkHandOver *hark_hand_over_new (GMainContext *context, const char *name, GDestroyNotify destroy,
                                  HarkHandOverFunc func, gpointer data);
void hark_hand_over_push (HarkHandOver *self, guint kind, gpointer item);
void hark_hand_over_cork (HarkHandOver *self);
void hark_hand_over_uncork (HarkHandOver *self);
guint hark_hand_over_get_length (HarkHandOver *self);
gpointer hark_hand_over_pop (HarkHandOver *self, guint *kind);
void hark_hand_over_stop (HarkHandOver *self);

G_END_DECLS
