/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the page of npm @socket.io/admin-ui expects to be told, as its package for servers tells it. */
#include "protocol/socketio-admin-json.h"

#include <unistd.h>

/* Bytes of an event that are shown. */
#define MAX_SHOWN 4096

void
hark_socketio_admin_write_config (HarkJsonWriter *json, gboolean is_verbose)
{
  static const char *const features[]
    = { "EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT", "AGGREGATED_EVENTS", "ALL_EVENTS" };
  hark_json_writer_begin_object (json);
  hark_json_writer_member (json, "supportedFeatures");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < G_N_ELEMENTS (features) - !is_verbose; i++)
    hark_json_writer_string (json, features[i]);
  hark_json_writer_end_array (json);
  hark_json_writer_end_object (json);
}

/* What came with the handshake is not kept, so that there is no token or cookie to be shown. */
static void
write_handshake (HarkJsonWriter *json, const HarkSocketioSocket *socket)
{
  g_autofree char *address = hark_session_dup_address (socket->session);
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "address", address);
  hark_json_writer_member (json, "headers");
  hark_json_writer_begin_object (json);
  hark_json_writer_end_object (json);
  hark_json_writer_member (json, "query");
  hark_json_writer_begin_object (json);
  hark_json_writer_end_object (json);
  hark_json_writer_member_int (json, "issued", socket->session->since_ms);
  hark_json_writer_member_boolean (json, "secure", FALSE);
  hark_json_writer_member_time (json, "time", socket->session->since_ms);
  hark_json_writer_member_string (json, "url", "/socket.io/");
  hark_json_writer_member_boolean (json, "xdomain", FALSE);
  hark_json_writer_end_object (json);
}

void
hark_socketio_admin_write_socket (HarkJsonWriter *json, const HarkSocketioSocket *socket)
{
  const HarkIdentity *identity = socket->session->identity;
  GHashTableIter iter;
  gpointer room;
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "id", socket->sid);
  hark_json_writer_member_id (json, "clientId", socket->session->id);
  hark_json_writer_member_string (json, "transport",
                                  socket->session->transport != NULL
                                    ? hark_transport_get_name (socket->session->transport)
                                    : "websocket");
  hark_json_writer_member_string (json, "nsp", socket->nsp->name);
  hark_json_writer_member (json, "data");
  hark_json_writer_begin_object (json);
  if (identity != NULL)
    {
      hark_json_writer_member_id (json, "user_id", identity->user_id);
      hark_json_writer_member_string (json, "username", identity->username);
    }
  hark_json_writer_end_object (json);
  hark_json_writer_member (json, "handshake");
  write_handshake (json, socket);
  hark_json_writer_member (json, "rooms");
  hark_json_writer_begin_array (json);
  hark_json_writer_string (json, socket->sid);
  g_hash_table_iter_init (&iter, socket->rooms);
  while (g_hash_table_iter_next (&iter, &room, NULL))
    hark_json_writer_string (json, room);
  hark_json_writer_end_array (json);
  hark_json_writer_end_object (json);
}

static void
write_shortened (HarkJsonWriter *json, gsize len)
{
  g_autofree char *text = g_strdup_printf ("(%" G_GSIZE_FORMAT " bytes)", len);
  hark_json_writer_string (json, text);
}

/* The event's name and arguments, as one array. */
void
hark_socketio_admin_write_packet (HarkJsonWriter *json, const HarkSocketioPacket *packet)
{
  hark_json_writer_begin_array (json);
  hark_json_writer_string_len (json, packet->name.data, packet->name.len);
  if (packet->args.len > MAX_SHOWN)
    write_shortened (json, packet->args.len);
  else if (packet->args.len > 0)
    hark_json_writer_raw (json, packet->args.data, packet->args.len);
  hark_json_writer_end_array (json);
}

/* Returns: %FALSE for an event that is none of a namespace's own: then nothing is written */
gboolean
hark_socketio_admin_write_event (HarkJsonWriter *json, const HarkEvent *event)
{
  HarkJsonObject object;
  HarkJsonSlice packet = { NULL, 0 };
  if (!hark_json_object_parse (&object, event->json, event->len, NULL)
      || !hark_json_object_get_raw_array (&object, "packet", HARK_FIELD_REQUIRED, &packet, NULL))
    return FALSE;
  if (packet.len <= MAX_SHOWN)
    {
      hark_json_writer_raw (json, packet.data, packet.len);
      return TRUE;
    }
  hark_json_writer_begin_array (json);
  write_shortened (json, packet.len);
  hark_json_writer_end_array (json);
  return TRUE;
}

static void
write_count (HarkJsonWriter *json, gint64 at_ms, const char *type, gint64 count)
{
  if (count <= 0)
    return;
  hark_json_writer_begin_object (json);
  hark_json_writer_member_int (json, "timestamp", at_ms / 1000 * 1000);
  hark_json_writer_member_string (json, "type", type);
  hark_json_writer_member_int (json, "count", count);
  hark_json_writer_end_object (json);
}

static void
write_namespace (const HarkSocketioNamespace *nsp, gpointer data)
{
  HarkJsonWriter *json = data;
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "name", nsp->name);
  hark_json_writer_member_int (json, "socketsCount", nsp->sockets->len);
  hark_json_writer_end_object (json);
}

void
hark_socketio_admin_write_stats (HarkJsonWriter *json, const HarkSocketioAdminStats *stats,
                                 HarkSocketioNamespaces *namespaces)
{
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "serverId", g_get_host_name ());
  hark_json_writer_member_string (json, "hostname", g_get_host_name ());
  hark_json_writer_member_int (json, "pid", getpid ());
  hark_json_writer_member_int (json, "uptime", stats->uptime_ms / 1000);
  hark_json_writer_member_int (json, "clientsCount", stats->n_clients);
  hark_json_writer_member_int (json, "pollingClientsCount", stats->n_polling);
  hark_json_writer_member (json, "aggregatedEvents");
  hark_json_writer_begin_array (json);
  write_count (json, stats->at_ms, "rawConnection", stats->connections);
  write_count (json, stats->at_ms, "rawDisconnection", stats->disconnections);
  write_count (json, stats->at_ms, "packetsIn", stats->packets_in);
  hark_json_writer_end_array (json);
  hark_json_writer_member (json, "namespaces");
  hark_json_writer_begin_array (json);
  hark_socketio_namespaces_foreach_namespace (namespaces, write_namespace, json);
  hark_json_writer_end_array (json);
  hark_json_writer_end_object (json);
}
