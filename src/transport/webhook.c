/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A back end that is told by HTTP POST. The signature covers the time of sending, so that who has seen a request cannot
 * repeat it later; the id is the same in each attempt, so that the receiver can tell one that it has had. Redirects are
 * not followed: what users say goes where the configuration says, and nowhere else.
 */
#include "transport/webhook.h"

#include "base/error.h"
#include "config.h"

#include <libsoup/soup.h>

/* Bytes of an answer that are read, so that the connection can be used again; nothing in them is looked at. */
#define MAX_ANSWER (64 * 1024)

struct _HarkWebhook
{
  GObject parent_instance;
  HarkClock *clock;     /* (owned) */
  SoupSession *session; /* (owned) */
  GUri *uri;            /* (owned) */
  char *secret;         /* (owned) (nullable): without it nothing is signed */
  guint timeout_ms;
};

typedef struct
{
  HarkWebhook *webhook;      /* (owned) */
  SoupMessage *message;      /* (owned) */
  GCancellable *cancellable; /* (owned) */
  HarkBackEndDone done;
  gpointer data;
  guint timeout_id;
  gboolean is_late;
} Post;

static void hark_webhook_back_end_init (HarkBackEndInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkWebhook, hark_webhook, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_BACK_END, hark_webhook_back_end_init))

static void
hark_webhook_finalize (GObject *object)
{
  HarkWebhook *self = HARK_WEBHOOK (object);
  g_clear_object (&self->session);
  g_clear_object (&self->clock);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_free (self->secret);
  G_OBJECT_CLASS (hark_webhook_parent_class)->finalize (object);
}

static void
hark_webhook_class_init (HarkWebhookClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_webhook_finalize;
}

static void
hark_webhook_init (HarkWebhook *self)
{
  self->session = soup_session_new_with_options ("user-agent", "Hark/" HARK_VERSION, "max-conns", 2, NULL);
}

/**
 * hark_webhook_new:
 * @url: http or https, valid
 * @secret: (nullable): what requests are signed with
 * @timeout_ms: how long the whole of one may take
 *
 * Returns: (transfer full): for the thread whose default context is this one
 */
HarkWebhook *
hark_webhook_new (HarkClock *clock, const char *url, const char *secret, guint timeout_ms)
{
  HarkWebhook *self = g_object_new (HARK_TYPE_WEBHOOK, NULL);
  self->clock = g_object_ref (clock);
  self->uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  g_assert (self->uri != NULL);
  self->secret = g_strdup (secret);
  self->timeout_ms = timeout_ms;
  return self;
}

static void
post_end (Post *post, GError *error)
{
  hark_clock_clear_timeout (post->webhook->clock, &post->timeout_id);
  if (error != NULL && post->is_late)
    {
      g_clear_error (&error);
      error = g_error_new (HARK_ERROR, HARK_ERROR_OFFLINE, "no answer within %u ms", post->webhook->timeout_ms);
    }
  post->done (error, post->data);
  g_clear_error (&error);
  g_object_unref (post->message);
  g_object_unref (post->cancellable);
  g_object_unref (post->webhook);
  g_free (post);
}

static gboolean
on_timeout (gpointer data)
{
  Post *post = data;
  post->timeout_id = 0;
  post->is_late = TRUE;
  g_cancellable_cancel (post->cancellable);
  return G_SOURCE_REMOVE;
}

static GError *
judge (SoupMessage *message)
{
  guint status = soup_message_get_status (message);
  if (SOUP_STATUS_IS_SUCCESSFUL (status))
    return NULL;
  return g_error_new (HARK_ERROR, HARK_ERROR_OFFLINE, "it answered %u", status);
}

/* The status has come, and that is the answer: what becomes of the rest is nobody's concern. */
static void
on_skipped (GObject *source, GAsyncResult *result, gpointer data)
{
  Post *post = data;
  g_input_stream_skip_finish (G_INPUT_STREAM (source), result, NULL);
  g_input_stream_close (G_INPUT_STREAM (source), NULL, NULL);
  post_end (post, judge (post->message));
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Post *post = data;
  GError *error = NULL;
  g_autoptr (GInputStream) answer = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (answer == NULL)
    post_end (post, error);
  else
    g_input_stream_skip_async (answer, MAX_ANSWER, G_PRIORITY_DEFAULT, post->cancellable, on_skipped, post);
}

/* "X-Hark-Signature: sha256=" and the HMAC of timestamp, a full stop and body. */
static void
sign (HarkWebhook *self, SoupMessageHeaders *headers, const char *json, gsize len)
{
  g_autofree char *timestamp = g_strdup_printf ("%" G_GINT64_FORMAT, hark_clock_get_real_ms (self->clock) / 1000);
  g_autofree char *value = NULL;
  GHmac *hmac;
  soup_message_headers_append (headers, "X-Hark-Timestamp", timestamp);
  if (self->secret == NULL)
    return;
  hmac = g_hmac_new (G_CHECKSUM_SHA256, (const guchar *)self->secret, strlen (self->secret));
  g_hmac_update (hmac, (const guchar *)timestamp, strlen (timestamp));
  g_hmac_update (hmac, (const guchar *)".", 1);
  g_hmac_update (hmac, (const guchar *)json, len);
  value = g_strconcat ("sha256=", g_hmac_get_string (hmac), NULL);
  g_hmac_unref (hmac);
  soup_message_headers_append (headers, "X-Hark-Signature", value);
}

static void
hark_webhook_deliver (HarkBackEnd *back_end, const char *id, const char *kind, const char *json, gsize len,
                      HarkBackEndDone done, gpointer data)
{
  HarkWebhook *self = HARK_WEBHOOK (back_end);
  g_autoptr (GBytes) body = g_bytes_new (json, len);
  Post *post = g_new0 (Post, 1);
  SoupMessageHeaders *headers;
  post->webhook = g_object_ref (self);
  post->message = soup_message_new_from_uri ("POST", self->uri);
  post->cancellable = g_cancellable_new ();
  post->done = done;
  post->data = data;
  soup_message_add_flags (post->message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_set_request_body_from_bytes (post->message, "application/json", body);
  headers = soup_message_get_request_headers (post->message);
  soup_message_headers_append (headers, "X-Hark-Delivery", id);
  soup_message_headers_append (headers, "X-Hark-Event", kind);
  sign (self, headers, json, len);
  post->timeout_id = hark_clock_add_timeout (self->clock, self->timeout_ms, on_timeout, post);
  soup_session_send_async (self->session, post->message, G_PRIORITY_DEFAULT, post->cancellable, on_answer, post);
}

static void
hark_webhook_back_end_init (HarkBackEndInterface *iface)
{
  iface->deliver = hark_webhook_deliver;
}
