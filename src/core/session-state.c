/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session as a variant, and back: who it is, what it has subscribed to and loaded, up to where. Another process of
 * the same hub goes on with it as if nothing had been, once the hub has published all that was stored before.
 */
#include "core/session-state.h"

#include "base/error.h"
#include "core/ranges.h"

#define SUBSCRIPTION_TYPE "(sxtma(xx))"

/**
 * hark_session_is_settled:
 *
 * Returns: whether everything its client has asked for is answered, it has been welcomed, and nothing that was meant for
 *   it was left out: what is still on its way to it lies in its outbox
 */
gboolean
hark_session_is_settled (HarkSession *self)
{
  gboolean is_guest = self->identity != NULL && (self->identity->flags & HARK_IDENTITY_ANONYMOUS) != 0;
  return self->state == HARK_SESSION_OPEN && !self->ending && self->pending == 0 && !self->held && self->missed_rev == 0
         && (self->personal || is_guest);
}

static GVariant *
save_ranges (GArray *ranges)
{
  GVariantBuilder builder;
  if (ranges == NULL)
    return g_variant_new_maybe (G_VARIANT_TYPE ("a(xx)"), NULL);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(xx)"));
  for (guint i = 0; i < ranges->len; i++)
    g_variant_builder_add (&builder, "(xx)", g_array_index (ranges, HarkRange, i).after,
                           g_array_index (ranges, HarkRange, i).last);
  return g_variant_new_maybe (NULL, g_variant_builder_end (&builder));
}

static GVariant *
save_subscriptions (HarkSession *self)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a" SUBSCRIPTION_TYPE));
  for (guint i = 0; self->subscriptions != NULL && i < self->subscriptions->len; i++)
    {
      HarkSubscription *subscription = self->subscriptions->pdata[i];
      const HarkTopic *topic = hark_subscription_get_topic (subscription);
      char text[HARK_TOPIC_MAX + 1];
      /* Whoever has reserved it takes care of it. */
      if (!hark_topic_is_reserved (topic))
        g_variant_builder_add (&builder, "(sxt@ma(xx))", hark_topic_format (topic, text),
                               hark_subscription_get_handed_over (subscription), hark_topic_key (topic),
                               save_ranges (subscription->ranges));
    }
  return g_variant_builder_end (&builder);
}

/**
 * hark_session_save:
 * @self: settled
 *
 * Returns: (transfer full): floating: of %HARK_SESSION_STATE_TYPE, what hark_session_restore () goes on with
 */
GVariant *
hark_session_save (HarkSession *self)
{
  g_autoptr (GArray) loaded = hark_hub_dup_loaded (self->hub, self);
  const HarkIdentity *identity = self->identity;
  return g_variant_new ("(xxttqbb(xsxxu)@a" SUBSCRIPTION_TYPE "@axxa{sv})", self->id, self->since_ms, self->sent,
                        self->received, self->strikes, (gboolean)self->resumable, (gboolean)self->personal,
                        identity->user_id, identity->username, identity->token_id, identity->expires_ms,
                        (guint)identity->flags, save_subscriptions (self),
                        g_variant_new_fixed_array (G_VARIANT_TYPE_INT64, loaded->data, loaded->len, sizeof (gint64)),
                        (gint64)-1, NULL);
}

/* A name's key is of the process that had it. */
static void
rename_key (HarkOutbox *outbox, guint64 before, guint64 now)
{
  for (guint i = 0; before != now && i < outbox->count; i++)
    {
      HarkBuffer *buffer = hark_outbox_get_nth (outbox, i);
      if (buffer->key == before)
        buffer->key = now;
    }
}

static gboolean
restore_subscription (HarkSession *self, GVariant *item, gint64 rev, GError **error)
{
  g_autoptr (GVariant) maybe = g_variant_get_child_value (item, 3);
  g_autoptr (GVariant) ranges = g_variant_get_maybe (maybe);
  g_auto (HarkTopic) topic = { 0 };
  gsize n = ranges != NULL ? g_variant_n_children (ranges) : 0;
  const char *text;
  guint64 key;
  gint64 cursor;
  g_variant_get (item, "(&sxt@ma(xx))", &text, &cursor, &key, NULL);
  if (!hark_topic_parse (text, &topic, error))
    return FALSE;
  rename_key (&self->transport->outbox, key, hark_topic_key (&topic));
  if (ranges == NULL)
    return hark_hub_subscribe (self->hub, self, &topic, cursor, rev, error) != NULL;
  for (gsize i = 0; i < n; i++)
    {
      gint64 after, last;
      g_variant_get_child (ranges, i, "(xx)", &after, &last);
      if (hark_hub_subscribe_part (self->hub, self, &topic, after, last, cursor, rev, error) == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
restore_interests (HarkSession *self, GVariant *subscriptions, GVariant *loaded, gint64 rev, GError **error)
{
  gsize n = g_variant_n_children (subscriptions);
  gsize n_loaded;
  const gint64 *ids = g_variant_get_fixed_array (loaded, &n_loaded, sizeof (gint64));
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) item = g_variant_get_child_value (subscriptions, i);
      if (!restore_subscription (self, item, rev, error))
        return FALSE;
    }
  return n_loaded == 0 || hark_hub_load (self->hub, self, ids, n_loaded, rev, error);
}

/**
 * hark_session_restore:
 * @transport: (transfer full): the connection that goes on, without a sink
 * @state: of %HARK_SESSION_STATE_TYPE; with a rev its client has been told everything up to that one, and is told now what
 *   the hub has published since
 *
 * Takes up a session of another process: it has the id that it had, its client is told nothing else, and what the hub
 * publishes from now on reaches it. `session-restored` is emitted when it is complete. When it cannot be taken up
 * (%HARK_ERROR_BAD_REQUEST, or it is beyond a bound that has become smaller), it has ended when this returns.
 *
 * Returns: (transfer none) (nullable): the session, which the hub keeps
 */
HarkSession *
hark_session_restore (HarkHub *hub, HarkTransport *transport, HarkProtocol *protocol, const HarkWire *wire,
                      GVariant *state, GError **error)
{
  g_autoptr (GVariant) subscriptions = NULL;
  g_autoptr (GVariant) loaded = NULL;
  g_autoptr (HarkIdentity) identity = NULL;
  g_autoptr (HarkSession) self = NULL;
  gint64 id, since_ms, user_id, token_id, expires_ms, rev;
  guint64 sent, received;
  gboolean resumable, personal;
  const char *username;
  guint flags;
  guint16 strikes;
  g_variant_get (state, "(xxttqbb(x&sxxu)@a" SUBSCRIPTION_TYPE "@axx@a{sv})", &id, &since_ms, &sent, &received,
                 &strikes, &resumable, &personal, &user_id, &username, &token_id, &expires_ms, &flags, &subscriptions,
                 &loaded, &rev, NULL);
  identity = hark_identity_new (user_id, username, token_id, expires_ms, flags);
  self = hark_session_new (hub, transport, protocol, wire, identity);
  self->since_ms = since_ms;
  self->sent = sent;
  self->received = received;
  self->strikes = strikes;
  self->resumable = resumable;
  self->personal = personal;
  if (id <= 0 || user_id == 0)
    g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "a session without an id or a user cannot be taken over");
  else if (hark_hub_restore_session (hub, self, id, error)
           && restore_interests (self, subscriptions, loaded, rev, error)
           && (rev < 0 || !personal || hark_hub_join_personal (hub, self, rev, error)))
    {
      hark_hub_session_restored (hub, self);
      return self;
    }
  hark_session_close (self, HARK_CLOSE_RESTART, "the session cannot go on; resume it");
  return NULL;
}
