/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a back end is to be told, in a table until it has taken it: so it survives a back end that is down and a hub that
 * crashes. One at a time and in order; what is not taken is tried again after a pause that doubles, and given up after
 * a number of attempts, so that one that can never be taken does not hold up the rest for ever. A crash between being
 * taken and being struck off repeats a delivery: its id tells.
 */
#include "chat/deliveries.h"

#include "base/error.h"
#include "base/ids.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "chat/rows.h"

#include <string.h>

/* The pause after the first failure, and the longest. A pause is between half of it and all of it. */
#define FIRST_PAUSE_MS 500
#define MAX_PAUSE_MS (5 * 60 * 1000)

/* The store could not be asked. */
#define STORE_PAUSE_MS 1000

typedef struct
{
  HarkDeliveries *owner; /* (nullable): %NULL when it has gone */
  gint64 id;             /* 0: none waits */
  gint64 created_at;
  guint attempts; /* that failed */
  gboolean is_taken;
  char *kind;    /* (owned) */
  char *payload; /* (owned) */
} Delivery;

struct _HarkDeliveries
{
  HarkStore *store;
  HarkClock *clock;      /* (owned) */
  HarkBackEnd *back_end; /* (owned) (nullable) */
  const HarkChatLimits *limits;
  Delivery *current; /* (nullable): unowned: of the work or the call that is under way */
  gboolean again;    /* something may have come while one is under way */
  guint timeout_id;
  HarkCounter *n_queued;
  HarkCounter *n_sent;
  HarkCounter *n_failed;
  HarkCounter *n_dropped;
  HarkGauge *n_waiting;
};

static void
delivery_free (Delivery *self)
{
  if (self->owner != NULL)
    self->owner->current = NULL;
  g_free (self->kind);
  g_free (self->payload);
  g_free (self);
}

/* Queueing. */

gboolean
hark_deliveries_wanted (HarkDeliveries *self)
{
  return self->limits->webhook;
}

/**
 * hark_delivery_queue:
 * @kind: what it is: lower case and "_"
 *
 * Has the back end told when the work is committed and hark_deliveries_wake () is called; without one, nothing.
 */
gboolean
hark_delivery_queue (HarkDeliveries *self, HarkTransaction *tx, const char *kind, const char *json, gsize len,
                     GError **error)
{
  gint64 waiting;
  if (!hark_deliveries_wanted (self))
    return TRUE;
  if (!hark_transaction_query_int64 (tx, &waiting, NULL, error, "SELECT waiting FROM delivery_count", ""))
    return FALSE;
  if (waiting >= self->limits->webhook_queue)
    {
      hark_counter_add (self->n_dropped, 1);
      g_set_error (error, HARK_ERROR, HARK_ERROR_OVERLOADED, "%u deliveries wait for the back end already",
                   self->limits->webhook_queue);
      return FALSE;
    }
  if (!hark_transaction_exec (tx, error,
                              "INSERT INTO deliveries (delivery_id, kind, payload, created_at) VALUES (?, ?, ?, ?)",
                              "itTi", hark_transaction_next_id (tx), kind, json, len, hark_transaction_now_ms (tx))
      || !hark_transaction_exec (tx, error, "UPDATE delivery_count SET waiting = waiting + 1", ""))
    return FALSE;
  hark_counter_add (self->n_queued, 1);
  hark_gauge_set (self->n_waiting, waiting + 1);
  return TRUE;
}

typedef struct
{
  HarkDeliveries *owner;
  char *kind;   /* (owned) */
  GBytes *json; /* (owned) */
} Addition;

static void
addition_free (gpointer data)
{
  Addition *self = data;
  g_free (self->kind);
  g_bytes_unref (self->json);
  g_free (self);
}

static gboolean
add_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Addition *self = data;
  gsize len;
  const char *json = g_bytes_get_data (self->json, &len);
  return hark_delivery_queue (self->owner, tx, self->kind, json, len, error);
}

static void
on_added (gpointer data, const GError *error, gpointer user_data)
{
  Addition *self = data;
  if (error == NULL)
    hark_deliveries_wake (self->owner);
  else
    hark_log (HARK_LOG_INFO, NULL, NULL, "A delivery (%s) is not queued: %s", self->kind, error->message);
}

void
hark_deliveries_add (HarkDeliveries *self, const char *kind, const char *json, gsize len)
{
  Addition *addition;
  if (!hark_deliveries_wanted (self))
    return;
  addition = g_new0 (Addition, 1);
  addition->owner = self;
  addition->kind = g_strdup (kind);
  addition->json = g_bytes_new (json, len);
  hark_store_write (self->store, add_in_thread, addition, addition_free, on_added, NULL);
}

/* Sending. */

static void begin (HarkDeliveries *self);

static gboolean
on_pause_over (gpointer data)
{
  HarkDeliveries *self = data;
  self->timeout_id = 0;
  begin (self);
  return G_SOURCE_REMOVE;
}

static void
pause_for (HarkDeliveries *self, guint ms)
{
  self->timeout_id = hark_clock_add_timeout (self->clock, ms, on_pause_over, self);
}

static guint
get_pause (guint failures)
{
  guint64 pause = (guint64)FIRST_PAUSE_MS << MIN (failures - 1, 20);
  pause = MIN (pause, MAX_PAUSE_MS);
  return pause / 2 + g_random_int_range (0, pause / 2 + 1);
}

static gboolean
settle_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Delivery *delivery = data;
  gint64 waiting;
  if (!delivery->is_taken)
    return hark_transaction_exec (tx, error, "UPDATE deliveries SET attempts = ? WHERE delivery_id = ?", "ii",
                                  (gint64)delivery->attempts, delivery->id);
  if (!hark_transaction_exec (tx, error, "DELETE FROM deliveries WHERE delivery_id = ?", "i", delivery->id)
      || !hark_transaction_query_int64 (tx, &waiting, NULL, error,
                                        "UPDATE delivery_count SET waiting = waiting - 1 RETURNING waiting", ""))
    return FALSE;
  hark_gauge_set (delivery->owner->n_waiting, waiting);
  return TRUE;
}

/* When the store does not take that it was taken, the back end gets it again rather than never. */
static void
on_settled (gpointer data, const GError *error, gpointer user_data)
{
  Delivery *delivery = data;
  HarkDeliveries *self = delivery->owner;
  guint pause = 0;
  if (error != NULL)
    pause = STORE_PAUSE_MS;
  else if (!delivery->is_taken)
    pause = get_pause (delivery->attempts);
  delivery_free (delivery);
  if (pause > 0)
    pause_for (self, pause);
  else
    begin (self);
}

static void
on_delivered (const GError *error, gpointer data)
{
  Delivery *delivery = data;
  HarkDeliveries *self = delivery->owner;
  if (self == NULL)
    {
      delivery_free (delivery);
      return;
    }
  delivery->is_taken = error == NULL;
  if (error == NULL)
    {
      hark_counter_add (self->n_sent, 1);
    }
  else
    {
      delivery->attempts++;
      hark_counter_add (self->n_failed, 1);
      hark_log (HARK_LOG_INFO, NULL, NULL, "The back end did not take delivery %" G_GINT64_FORMAT " (%s): %s",
                delivery->id, delivery->kind, error->message);
      if (delivery->attempts >= self->limits->webhook_attempts)
        {
          delivery->is_taken = TRUE;
          hark_counter_add (self->n_dropped, 1);
          hark_log (HARK_LOG_WARNING, NULL, NULL,
                    "Delivery %" G_GINT64_FORMAT " (%s) is given up after %u attempts: %s", delivery->id,
                    delivery->kind, delivery->attempts, error->message);
        }
    }
  hark_store_write (self->store, settle_in_thread, delivery, NULL, on_settled, NULL);
}

static void
deliver (HarkDeliveries *self, Delivery *delivery)
{
  g_auto (HarkJsonWriter) json = { 0 };
  char id[HARK_ID_LEN];
  gsize len;
  const char *text;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_id (&json, "id", delivery->id);
  hark_json_writer_member_string (&json, "kind", delivery->kind);
  hark_json_writer_member_time (&json, "timestamp", delivery->created_at);
  hark_json_writer_member_raw (&json, "data", delivery->payload, strlen (delivery->payload));
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  hark_back_end_deliver (self->back_end, hark_id_format (delivery->id, id), delivery->kind, text, len, on_delivered,
                         delivery);
}

static gboolean
read_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Delivery *delivery = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT delivery_id, kind, payload, created_at, attempts FROM deliveries"
                               " ORDER BY delivery_id LIMIT 1",
                               ""))
    return FALSE;
  if (!hark_rows_next (&rows, &local_error))
    return hark_rows_check (&local_error, error);
  delivery->id = hark_rows_get_int64 (&rows, 0);
  delivery->kind = g_strdup (hark_rows_get_text (&rows, 1, NULL));
  delivery->payload = g_strdup (hark_rows_get_text (&rows, 2, NULL));
  delivery->created_at = hark_rows_get_int64 (&rows, 3);
  delivery->attempts = hark_rows_get_int64 (&rows, 4);
  return TRUE;
}

static void
on_read (gpointer data, const GError *error, gpointer user_data)
{
  Delivery *delivery = data;
  HarkDeliveries *self = delivery->owner;
  if (error == NULL && delivery->id != 0 && self->back_end != NULL)
    {
      deliver (self, delivery);
      return;
    }
  delivery_free (delivery);
  if (error != NULL)
    pause_for (self, STORE_PAUSE_MS);
  else if (self->again)
    begin (self);
}

static void
begin (HarkDeliveries *self)
{
  if (self->back_end == NULL)
    return;
  self->again = FALSE;
  self->current = g_new0 (Delivery, 1);
  self->current->owner = self;
  hark_store_read (self->store, read_in_thread, self->current, NULL, on_read, NULL);
}

void
hark_deliveries_wake (HarkDeliveries *self)
{
  self->again = TRUE;
  if (self->current == NULL && self->timeout_id == 0)
    begin (self);
}

void
hark_deliveries_set_back_end (HarkDeliveries *self, HarkBackEnd *back_end)
{
  g_set_object (&self->back_end, back_end);
  hark_deliveries_wake (self);
}

HarkDeliveries *
hark_deliveries_new (HarkStore *store, HarkClock *clock, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkDeliveries *self = g_new0 (HarkDeliveries, 1);
  self->store = store;
  self->clock = g_object_ref (clock);
  self->limits = limits;
  self->n_queued = hark_metrics_counter (metrics, "hark_webhook_queued_total", "Deliveries to the back end queued.");
  self->n_sent = hark_metrics_counter (metrics, "hark_webhook_sent_total", "Deliveries that the back end took.");
  self->n_failed = hark_metrics_counter (metrics, "hark_webhook_failed_total",
                                         "Attempts to deliver that failed; most are tried again.");
  self->n_dropped = hark_metrics_counter (metrics, "hark_webhook_dropped_total",
                                          "Deliveries given up, or refused because too many waited.");
  self->n_waiting = hark_metrics_gauge (metrics, "hark_webhook_waiting", "Deliveries that wait for the back end.");
  return self;
}

/* Nothing more is begun: the store is about to be closed. */
void
hark_deliveries_stop (HarkDeliveries *self)
{
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  g_clear_object (&self->back_end);
}

/* The store has been closed before; a call of the back end may still come to an end. */
void
hark_deliveries_free (HarkDeliveries *self)
{
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  if (self->current != NULL)
    self->current->owner = NULL;
  g_clear_object (&self->back_end);
  g_object_unref (self->clock);
  g_free (self);
}
