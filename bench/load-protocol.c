/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocols of the servers that are compared. What a receiver does per message is the generator's own price, so
 * nothing here parses JSON: a delivery is found by the mark of its payload, the rest by a string that only it has.
 */
#include "load-protocol.h"

#include <assert.h>
#include <stdio.h>

static bool
contains (const uint8_t *data, size_t len, const char *text)
{
  return memmem (data, len, text, strlen (text)) != NULL;
}

static bool
decode_delivery (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  if (!load_payload_find (data, len, &conn->hint, &event->payload))
    return false;
  event->kind = LOAD_EVENT_DELIVERY;
  return true;
}

/* A frame of @before, the payload and @after. @payload_size is the payload's alone. */
static void
send_around (LoadConn *conn, const char *before, const LoadPayload *payload, size_t payload_size, const char *after)
{
  size_t n_before = strlen (before);
  size_t n_after = strlen (after);
  size_t len = n_before + payload_size + n_after;
  uint8_t *at = load_conn_begin_text (conn, len);
  memcpy (at, before, n_before);
  load_payload_write (at + n_before, payload_size, payload);
  memcpy (at + n_before + payload_size, after, n_after);
  load_conn_end_text (conn, len);
}

/* raw: the payload is the message. Spoken by harkd-raw and by the peers that are built on a bare WebSocket library. */

static void
raw_path (LoadConn *conn, char *out, size_t size)
{
  if (conn->room < 0)
    snprintf (out, size, "/echo");
  else
    snprintf (out, size, "/ws?ch=%d", conn->room);
}

static void
raw_decode (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  if (!decode_delivery (conn, data, len, event))
    event->kind = LOAD_EVENT_FAILURE;
}

static void
raw_publish (LoadConn *conn, const LoadPayload *payload, uint64_t ref)
{
  send_around (conn, "", payload, conn->engine->options->size, "");
}

static void
raw_echo (LoadConn *conn, const LoadPayload *payload)
{
  send_around (conn, "", payload, conn->engine->options->size, "");
}

static const LoadProtocol RAW = {
  .name = "raw",
  .path = raw_path,
  .decode = raw_decode,
  .publish = raw_publish,
  .echo = raw_echo,
};

/* nchan: a pubsub location. It tells the publisher about the channel after each message, which nobody asked for. */

static void
nchan_decode (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  decode_delivery (conn, data, len, event);
}

static const LoadProtocol NCHAN = {
  .name = "nchan",
  .path = raw_path,
  .decode = nchan_decode,
  .publish = raw_publish,
};

/* socketio: Engine.IO 4 over WebSocket alone, Socket.IO 5 in it, the default namespace. */

static void
socketio_path (LoadConn *conn, char *out, size_t size)
{
  snprintf (out, size, "/socket.io/?EIO=4&transport=websocket&ch=%d", conn->room);
}

static void
socketio_upgraded (LoadConn *conn)
{
  /* The server opens. */
}

static void
socketio_decode (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  if (len == 0)
    event->kind = LOAD_EVENT_FAILURE;
  else if (data[0] == '2')
    load_conn_send_text (conn, "3");
  else if (data[0] == '0')
    load_conn_send_text (conn, "40");
  else if (len >= 2 && data[0] == '4' && data[1] == '0')
    event->kind = LOAD_EVENT_READY;
  else if (len >= 2 && data[0] == '4' && (data[1] == '2' || data[1] == '3'))
    {
      if (!decode_delivery (conn, data, len, event))
        event->kind = LOAD_EVENT_FAILURE;
    }
  else if (data[0] != '6')
    event->kind = LOAD_EVENT_FAILURE;
}

static void
socketio_publish (LoadConn *conn, const LoadPayload *payload, uint64_t ref)
{
  send_around (conn, "42[\"message\",\"", payload, conn->engine->options->size, "\"]");
}

static void
socketio_echo (LoadConn *conn, const LoadPayload *payload)
{
  char before[64];
  snprintf (before, sizeof before, "42%u[\"echo\",\"", payload->counter);
  send_around (conn, before, payload, conn->engine->options->size, "\"]");
}

static const LoadProtocol SOCKETIO = {
  .name = "socketio",
  .path = socketio_path,
  .upgraded = socketio_upgraded,
  .decode = socketio_decode,
  .publish = socketio_publish,
  .echo = socketio_echo,
};

/* chat: Socket.IO again, as a chat uses it: the namespace /chat, whose `message` goes to all who are connected to it.
 * Who is idle is connected to /notifications, who wants an echo to the default namespace. */

static const char *
chat_namespace (const LoadConn *conn)
{
  return conn->room == 0 ? "/chat," : conn->room > 0 ? "/notifications," : "";
}

static void
chat_path (LoadConn *conn, char *out, size_t size)
{
  snprintf (out, size, "/socket.io/?EIO=4&transport=websocket");
}

size_t
load_socketio_connect (const LoadConn *conn, char *out, size_t size)
{
  if (conn->account == NULL)
    return (size_t)snprintf (out, size, "40%s", chat_namespace (conn));
  return (size_t)snprintf (out, size, "40%s{\"token\":\"%s\"}", chat_namespace (conn), conn->account->token);
}

size_t
load_socketio_publish (const LoadConn *conn, const LoadPayload *payload, char *out, size_t size)
{
  size_t len = conn->engine->options->size;
  size_t head = (size_t)snprintf (out, size, "42/chat,[\"message\",{\"message\":\"");
  assert (head + len + 64 < size);
  load_payload_write ((uint8_t *)out + head, len, payload);
  return head + len
         + (size_t)snprintf (out + head + len, size - head - len, "\",\"username\":\"bench\",\"timestamp\":1}]");
}

static void
chat_decode (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  char packet[512];
  if (len == 0)
    event->kind = LOAD_EVENT_FAILURE;
  else if (data[0] == '2')
    load_conn_send_text (conn, "3");
  else if (data[0] == '0')
    {
      load_socketio_connect (conn, packet, sizeof packet);
      load_conn_send_text (conn, packet);
    }
  else if (len >= 2 && data[0] == '4' && data[1] == '0')
    event->kind = LOAD_EVENT_READY;
  else if (len >= 2 && data[0] == '4' && (data[1] == '2' || data[1] == '3'))
    decode_delivery (conn, data, len, event); /* others are what a server says of itself */
  else if (data[0] != '6')
    event->kind = LOAD_EVENT_FAILURE;
}

static void
chat_publish (LoadConn *conn, const LoadPayload *payload, uint64_t ref)
{
  send_around (conn, "42/chat,[\"message\",{\"message\":\"", payload, conn->engine->options->size,
               "\",\"username\":\"bench\",\"timestamp\":1}]");
}

static void
chat_echo (LoadConn *conn, const LoadPayload *payload)
{
  char before[64];
  snprintf (before, sizeof before, "42%u[\"ping\",{\"data\":\"", payload->counter);
  send_around (conn, before, payload, conn->engine->options->size, "\"}]");
}

static const LoadProtocol CHAT = {
  .name = "chat",
  .path = chat_path,
  .upgraded = socketio_upgraded,
  .decode = chat_decode,
  .publish = chat_publish,
  .echo = chat_echo,
};

/* hark: the native protocol. */

static void
hark_path (LoadConn *conn, char *out, size_t size)
{
  snprintf (out, size, "/ws/%s/", conn->account->token);
}

static void
hark_upgraded (LoadConn *conn)
{
  /* The server speaks first: welcome. */
}

static void
hark_subscribe (LoadConn *conn)
{
  const LoadOptions *options = conn->engine->options;
  for (size_t i = 0; i < conn->n_channels; i++)
    {
      char text[256];
      snprintf (text, sizeof text, "{\"type\":\"get_messages\",\"channel_id\":\"%s\",\"ref\":%zu,\"limit\":1}",
                options->channels[conn->first_channel + i], i + 1);
      load_conn_send_text (conn, text);
    }
}

static bool
hark_find_ref (const uint8_t *data, size_t len, uint64_t *ref)
{
  static const char KEY[] = "\"ref\":";
  const uint8_t *end = data + len;
  const uint8_t *at = memmem (data, len, KEY, sizeof KEY - 1);
  if (at == NULL)
    return false;
  *ref = 0;
  for (at += sizeof KEY - 1; at < end && *at == ' '; at++)
    ;
  for (; at < end && *at >= '0' && *at <= '9'; at++)
    *ref = *ref * 10 + (uint64_t)(*at - '0');
  return true;
}

/* The chunk of history that answers a subscription may hold a payload too: it is not looked at for one. */
static void
hark_decode_joining (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  if (contains (data, len, "\"type\":\"error\""))
    event->kind = LOAD_EVENT_FAILURE;
  else if (contains (data, len, "\"type\":\"welcome\""))
    {
      hark_subscribe (conn);
      if (conn->n_channels == 0)
        event->kind = LOAD_EVENT_READY;
    }
  else if (contains (data, len, "\"type\":\"get_messages\"") && ++conn->joined == conn->n_channels)
    event->kind = LOAD_EVENT_READY;
}

static void
hark_decode (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  if (conn->state == LOAD_CONN_JOINING)
    {
      hark_decode_joining (conn, data, len, event);
      return;
    }
  if (decode_delivery (conn, data, len, event))
    return;
  if (contains (data, len, "\"type\":\"error\""))
    event->kind = LOAD_EVENT_FAILURE;
  else if (contains (data, len, "\"type\":\"message\"") && hark_find_ref (data, len, &event->ref))
    event->kind = LOAD_EVENT_ACK;
}

static void
hark_publish (LoadConn *conn, const LoadPayload *payload, uint64_t ref)
{
  const LoadOptions *options = conn->engine->options;
  char before[256];
  char after[96];
  snprintf (before, sizeof before, "{\"type\":\"message\",\"server\":\"%s\",\"channel\":\"%s\",\"message\":\"",
            options->server, options->channels[0]);
  /* Unique for each author for ever, though several of the senders may be the same user. */
  snprintf (after, sizeof after, "\",\"id\":%lld,\"ref\":%llu}", (long long)conn->engine->next_id++,
            (unsigned long long)ref);
  send_around (conn, before, payload, options->size, after);
}

/* Here the whole object is as large as the options say. */
static void
hark_forward (LoadConn *conn, const LoadAccount *target, const LoadPayload *payload)
{
  static const char AFTER[] = "\"}";
  size_t size = conn->engine->options->size;
  char before[256];
  size_t around = sizeof AFTER - 1;
  around
    += (size_t)snprintf (before, sizeof before, "{\"type\":\"forward\",\"target\":\"%s\",\"data\":\"", target->user);
  send_around (conn, before, payload, size >= around + LOAD_PAYLOAD_MIN ? size - around : LOAD_PAYLOAD_MIN, AFTER);
}

static const LoadProtocol HARK = {
  .name = "hark",
  .acks = true,
  .needs_accounts = true,
  .path = hark_path,
  .upgraded = hark_upgraded,
  .decode = hark_decode,
  .publish = hark_publish,
  .forward = hark_forward,
};

static const LoadProtocol *const PROTOCOLS[] = { &RAW, &NCHAN, &SOCKETIO, &CHAT, &HARK };

/* Returns: (nullable): the protocol of that name */
const LoadProtocol *
load_protocol_find (const char *name)
{
  for (size_t i = 0; i < sizeof PROTOCOLS / sizeof PROTOCOLS[0]; i++)
    if (strcmp (PROTOCOLS[i]->name, name) == 0)
      return PROTOCOLS[i];
  return NULL;
}
