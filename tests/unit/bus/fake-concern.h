/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/dispatcher.h"

G_BEGIN_DECLS

#define FAKE_TYPE_CONCERN (fake_concern_get_type ())
G_DECLARE_FINAL_TYPE (FakeConcern, fake_concern, FAKE, CONCERN, GObject)

/* Answers every request of the D-Bus interfaces with what it was told to, and keeps what it was asked. */
FakeConcern *fake_concern_new (HarkDispatcher *dispatcher);
void fake_concern_will_reply (FakeConcern *self, const char *command, const char *members);
void fake_concern_will_reply_once (FakeConcern *self, const char *command, const char *members);
void fake_concern_will_fail (FakeConcern *self, GQuark domain, int code, const char *message);
void fake_concern_will_wait (FakeConcern *self);
guint fake_concern_get_n_waiting (FakeConcern *self);
void fake_concern_answer_waiting (FakeConcern *self);
char *fake_concern_pop (FakeConcern *self);
guint fake_concern_get_n_commands (FakeConcern *self);

G_END_DECLS
