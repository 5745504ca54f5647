/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define HARK_TYPE_CLOCK (hark_clock_get_type ())
G_DECLARE_DERIVABLE_TYPE (HarkClock, hark_clock, HARK, CLOCK, GObject)

/**
 * HarkClock:
 *
 * Time as everything in Hark asks for it, so that a test can stand in with hark_fake_clock_new () and move it by hand.
 * The base type is the real clock; it may be read from any thread.
 */
struct _HarkClockClass
{
  GObjectClass parent_class;
  gint64 (*get_monotonic) (HarkClock *self);
  gint64 (*get_real) (HarkClock *self);
  guint (*add_timeout) (HarkClock *self, guint ms, GSourceFunc func, gpointer data);
  void (*remove_timeout) (HarkClock *self, guint id);
};

HarkClock *hark_clock_new (void);

/* Microseconds since an arbitrary moment; never goes back. */
gint64 hark_clock_get_monotonic (HarkClock *self);
/* Milliseconds since 1970-01-01 UTC. */
gint64 hark_clock_get_real_ms (HarkClock *self);

guint hark_clock_add_timeout (HarkClock *self, guint ms, GSourceFunc func, gpointer data);
void hark_clock_remove_timeout (HarkClock *self, guint id);
void hark_clock_clear_timeout (HarkClock *self, guint *id);

/* "2026-11-20T19:05:55.123Z" and the 0 byte. */
#define HARK_TIME_LEN 25
void hark_time_format (gint64 real_ms, char out[HARK_TIME_LEN]);

#define HARK_TYPE_FAKE_CLOCK (hark_fake_clock_get_type ())
G_DECLARE_FINAL_TYPE (HarkFakeClock, hark_fake_clock, HARK, FAKE_CLOCK, HarkClock)

HarkFakeClock *hark_fake_clock_new (gint64 real_ms);
void hark_fake_clock_advance (HarkFakeClock *self, guint ms);

G_END_DECLS
