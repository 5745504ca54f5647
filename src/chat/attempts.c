/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Three meters; see attempts.h. What is tried side by side is counted before it is known whether it was right. */
#include "chat/attempts.h"

#include "base/meter.h"

struct _HarkAttempts
{
  HarkMeter *users;
  HarkMeter *addresses;
  HarkMeter *registrations; /* of addresses */
  HarkGauge *n_users;
  HarkGauge *n_addresses;
};

static HarkMeter *
new_meter (HarkClock *clock, HarkCounter *n_refused, guint burst, gint64 window_ms, guint max)
{
  return hark_meter_new (clock, n_refused, burst > 0 ? MAX (window_ms * 1000 / burst, 1) : 0, burst, max);
}

HarkAttempts *
hark_attempts_new (HarkClock *clock, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkAttempts *self = g_new0 (HarkAttempts, 1);
  HarkCounter *refused
    = hark_metrics_counter (metrics, "hark_attempts_refused_total",
                            "Passwords not looked at because there were too many attempts of a user or an address.");
  HarkCounter *registrations
    = hark_metrics_counter (metrics, "hark_registrations_refused_total",
                            "Registrations refused because there were too many of one address.");
  guint max = limits->attempts_max;
  self->users = new_meter (clock, refused, limits->attempts_per_user, limits->attempts_window_ms, max);
  self->addresses = new_meter (clock, refused, limits->attempts_per_address, limits->attempts_window_ms, max);
  self->registrations
    = new_meter (clock, registrations, limits->registrations_per_address, limits->registrations_window_ms, max);
  self->n_users
    = hark_metrics_gauge (metrics, "hark_attempts_users", "Users of whom it is remembered that passwords were tried.");
  self->n_addresses = hark_metrics_gauge (metrics, "hark_attempts_addresses",
                                          "Addresses of which it is remembered that passwords were tried.");
  return self;
}

void
hark_attempts_free (HarkAttempts *self)
{
  hark_meter_free (self->users);
  hark_meter_free (self->addresses);
  hark_meter_free (self->registrations);
  g_free (self);
}

static void
show (HarkAttempts *self)
{
  hark_gauge_set (self->n_users, hark_meter_get_n (self->users));
  hark_gauge_set (self->n_addresses, hark_meter_get_n (self->addresses));
}

/**
 * hark_attempts_take:
 * @peer: (nullable): %NULL for this machine, which is not counted
 *
 * Before a password is looked at. %HARK_ERROR_RATE_LIMITED when it must not be.
 */
gboolean
hark_attempts_take (HarkAttempts *self, const char *username, const char *peer, GError **error)
{
  gboolean ok = (peer == NULL || hark_meter_take (self->addresses, peer, error))
                && hark_meter_take (self->users, username, error);
  show (self);
  return ok;
}

/* The password was right. */
void
hark_attempts_forgive (HarkAttempts *self, const char *username)
{
  hark_meter_forget (self->users, username);
  show (self);
}

gboolean
hark_attempts_take_registration (HarkAttempts *self, const char *peer, GError **error)
{
  return peer == NULL || hark_meter_take (self->registrations, peer, error);
}
