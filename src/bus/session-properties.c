/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What org.hark.Session1 and org.hark.Subscription1 say, read from the hub's objects at the moment of asking. */
#include "bus/session-properties.h"

#include "base/ids.h"
#include "core/ranges.h"

#include <string.h>

/* As long as a topic can be, each byte written with three. */
#define MAX_NODE (HARK_ID_LEN + 3 * HARK_TOPIC_MAX)

static gboolean
unescape (const char *text, char **out)
{
  g_autoptr (GString) topic = g_string_new (NULL);
  for (const char *at = text; *at != '\0'; at++)
    {
      if (g_ascii_isalnum (*at))
        {
          g_string_append_c (topic, *at);
          continue;
        }
      if (*at != '_' || !g_ascii_isxdigit (at[1]) || !g_ascii_isxdigit (at[2]))
        return FALSE;
      g_string_append_c (topic, g_ascii_xdigit_value (at[1]) << 4 | g_ascii_xdigit_value (at[2]));
      at += 2;
    }
  *out = g_string_free (g_steal_pointer (&topic), FALSE);
  return TRUE;
}

/* Returns: whether @node is what an object can be called */
gboolean
hark_bus_node_parse (const char *node, HarkBusNode *out)
{
  g_autofree char *digits = NULL;
  gsize n = strspn (node, "0123456789");
  guint64 id;
  *out = (HarkBusNode){ 0 };
  if (strlen (node) > MAX_NODE || (node[n] != '\0' && node[n] != '_'))
    return FALSE;
  digits = g_strndup (node, n);
  if (!g_ascii_string_to_unsigned (digits, 10, 1, G_MAXINT64, &id, NULL))
    return FALSE;
  out->session_id = id;
  return node[n] == '\0' || unescape (node + n + 1, &out->topic);
}

void
hark_bus_node_clear (HarkBusNode *self)
{
  g_clear_pointer (&self->topic, g_free);
}

/* @topic: (nullable): of a subscription. Returns: (transfer full) */
char *
hark_bus_node_format (gint64 session_id, const HarkTopic *topic)
{
  GString *node = g_string_new (NULL);
  char text[HARK_TOPIC_MAX + 1];
  g_string_printf (node, "%" G_GINT64_FORMAT, session_id);
  if (topic == NULL)
    return g_string_free (node, FALSE);
  g_string_append_c (node, '_');
  for (const char *at = hark_topic_format (topic, text); *at != '\0'; at++)
    {
      if (g_ascii_isalnum (*at))
        g_string_append_c (node, *at);
      else
        g_string_append_printf (node, "_%02x", (guint8)*at);
    }
  return g_string_free (node, FALSE);
}

static GVariant *
build_subscriptions (HarkSession *session, const char *base)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_OBJECT_PATH_ARRAY);
  for (guint i = 0; session->subscriptions != NULL && i < session->subscriptions->len; i++)
    {
      g_autofree char *node
        = hark_bus_node_format (session->id, hark_subscription_get_topic (session->subscriptions->pdata[i]));
      g_autofree char *path = g_strconcat (base, "/", node, NULL);
      g_variant_builder_add (&builder, "o", path);
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
new_id (gint64 id)
{
  char text[HARK_ID_LEN];
  return g_variant_new_string (hark_id_format (id, text));
}

/**
 * hark_bus_session_get_property:
 * @base: the path above all sessions
 * @name: of org.hark.Session1
 *
 * Returns: (transfer full): floating
 */
GVariant *
hark_bus_session_get_property (HarkSession *session, const char *base, const char *name)
{
  static const char *const states[] = { "connected", "open", "closed" };
  HarkTransport *transport = session->transport;
  if (g_str_equal (name, "SessionId"))
    return new_id (session->id);
  if (g_str_equal (name, "UserId"))
    return new_id (hark_session_get_user_id (session));
  if (g_str_equal (name, "Username"))
    return g_variant_new_string (session->identity != NULL ? session->identity->username : "");
  if (g_str_equal (name, "Address"))
    return g_variant_new_take_string (hark_session_dup_address (session));
  if (g_str_equal (name, "Protocol"))
    return g_variant_new_string (hark_protocol_get_name (session->protocol));
  if (g_str_equal (name, "Transport"))
    return g_variant_new_string (transport != NULL ? hark_transport_get_name (transport) : "");
  if (g_str_equal (name, "State"))
    return g_variant_new_string (states[session->state]);
  if (g_str_equal (name, "Since"))
    return g_variant_new_int64 (session->since_ms);
  if (g_str_equal (name, "Queued"))
    return g_variant_new_uint64 (transport != NULL ? transport->outbox.bytes : 0);
  if (g_str_equal (name, "Sent"))
    return g_variant_new_uint64 (session->sent);
  if (g_str_equal (name, "Received"))
    return g_variant_new_uint64 (session->received);
  if (g_str_equal (name, "Subscriptions"))
    return build_subscriptions (session, base);
  g_assert (g_str_equal (name, "Loaded"));
  return g_variant_new_uint32 (session->n_interests);
}

static GVariant *
build_parts (GArray *ranges)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(xx)"));
  for (guint i = 0; ranges != NULL && i < ranges->len; i++)
    g_variant_builder_add (&builder, "(xx)", g_array_index (ranges, HarkRange, i).after,
                           g_array_index (ranges, HarkRange, i).last);
  return g_variant_builder_end (&builder);
}

/* As hark_bus_session_get_property (), of org.hark.Subscription1. */
GVariant *
hark_bus_subscription_get_property (HarkHub *hub, HarkSubscription *subscription, const char *base, const char *name)
{
  const HarkTopic *topic = hark_subscription_get_topic (subscription);
  char text[HARK_TOPIC_MAX + 1];
  if (g_str_equal (name, "Topic"))
    return g_variant_new_string (hark_topic_format (topic, text));
  if (g_str_equal (name, "Session"))
    {
      g_autofree char *path = g_strdup_printf ("%s/%" G_GINT64_FORMAT, base, subscription->session->id);
      return g_variant_new_object_path (path);
    }
  if (g_str_equal (name, "Cursor"))
    return g_variant_new_int64 (hark_subscription_get_cursor (subscription));
  if (g_str_equal (name, "Parts"))
    return build_parts (subscription->ranges);
  g_assert (g_str_equal (name, "Receivers"));
  return g_variant_new_uint32 (hark_hub_get_n_receivers (hub, topic));
}
