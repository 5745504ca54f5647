/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/store.h"

G_BEGIN_DECLS

#define STEP_TYPE_STORE (step_store_get_type ())
G_DECLARE_FINAL_TYPE (StepStore, step_store, STEP, STORE, GObject)

/*
 * A store in front of another that hands nothing over by itself while it is told to hold: reads are begun, their
 * results delivered, and commits published when a test says so.
 */
StepStore *step_store_new (HarkStore *store);
void step_store_hold (StepStore *self, gboolean hold);
guint step_store_begin_reads (StepStore *self);
guint step_store_deliver_reads (StepStore *self);
void step_store_deliver_last_read (StepStore *self);
guint step_store_publish_one (StepStore *self);
guint step_store_get_n_under_way (StepStore *self);
void step_store_fail_writes (StepStore *self, gboolean fail);

G_END_DECLS
