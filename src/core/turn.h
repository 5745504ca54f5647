/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define HARK_TYPE_TURN (hark_turn_get_type ())
G_DECLARE_FINAL_TYPE (HarkTurn, hark_turn, HARK, TURN, GObject)

/**
 * HarkTurnStage:
 *
 * What is put off to the end of a turn of the main loop, in this order.
 */
typedef enum
{
  HARK_TURN_SUBMIT,  /* the store's writer is given what the turn wants written */
  HARK_TURN_DELIVER, /* the hub hands collected events to outboxes */
  HARK_TURN_ANSWER,  /* polls that wait in another thread get what is in their outboxes */
  HARK_TURN_FLUSH,   /* transports write their outboxes */
  HARK_N_TURN_STAGES
} HarkTurnStage;

typedef void (*HarkTurnFunc) (gpointer data);

HarkTurn *hark_turn_new (GMainContext *context);
void hark_turn_set_stage (HarkTurn *self, HarkTurnStage stage, HarkTurnFunc func, gpointer data);
void hark_turn_mark (HarkTurn *self);
void hark_turn_end (HarkTurn *self);

G_END_DECLS
