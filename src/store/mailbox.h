/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/job.h"

#include "core/turn.h"

G_BEGIN_DECLS

typedef struct _HarkMailbox HarkMailbox;

HarkMailbox *hark_mailbox_new (GMainContext *context);
void hark_mailbox_destroy (HarkMailbox *self);
void hark_mailbox_set_committed (HarkMailbox *self, HarkCommitted func, gpointer user_data);
void hark_mailbox_set_turn (HarkMailbox *self, HarkTurn *turn);
void hark_mailbox_post (HarkMailbox *self, HarkJobList *jobs);
void hark_mailbox_flush (HarkMailbox *self);

G_END_DECLS
