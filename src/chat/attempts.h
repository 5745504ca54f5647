/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "chat/chat-limits.h"

G_BEGIN_DECLS

/**
 * HarkAttempts:
 *
 * How often passwords are tried: of one user, whether there is such a user or not, and from one address; and how many
 * accounts one address makes.
 */
typedef struct _HarkAttempts HarkAttempts;

HarkAttempts *hark_attempts_new (HarkClock *clock, HarkMetrics *metrics, const HarkChatLimits *limits);
void hark_attempts_free (HarkAttempts *self);
gboolean hark_attempts_take (HarkAttempts *self, const char *username, const char *peer, GError **error);
void hark_attempts_forgive (HarkAttempts *self, const char *username);
gboolean hark_attempts_take_registration (HarkAttempts *self, const char *peer, GError **error);

G_END_DECLS
