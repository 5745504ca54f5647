/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/address-table.h"
#include "transport/hand-over.h"

G_BEGIN_DECLS

typedef enum
{
  HARK_ENGINE_GET,
  HARK_ENGINE_POST,
  HARK_ENGINE_UPGRADE, /* a GET that wants a WebSocket: answered 101 when it may have one */
  HARK_ENGINE_OTHER
} HarkEngineMethod;

/* What the front tells of a request, as the kind of what it hands over. */
typedef enum
{
  HARK_ENGINE_ASKED, /* all of it is there */
  HARK_ENGINE_BEGUN, /* it has a body, which has not all come */
  HARK_ENGINE_BODY,  /* now it has */
  HARK_ENGINE_GONE   /* its client has gone before it was answered */
} HarkEngineNews;

/**
 * HarkEngineRequest:
 * @connection: (nullable): the front's alone: %NULL when its client has gone
 * @session: (nullable): the hub's alone, unowned: whose poll or body it is
 * @answers: (owned): where it is handed over to when it is answered
 * @route_kind: of the route it came by
 * @octets: whether its body says it is application/octet-stream
 * @query: (owned) (nullable)
 * @lease: (owned) (nullable): a place among the sessions of its address, if it is to open one
 * @body: (owned) (nullable): the hub's from when it is handed over
 * @offset, @n_packets: how much of it the hub has taken
 * @status: of the answer; 0 until there is one
 * @type: (nullable): static
 * @content: (owned) (nullable)
 * @opened: when it has opened a session, its id; otherwise empty
 *
 * An HTTP request that waits for its answer, which may take as long as a long poll does. The front makes it and writes
 * the answer; the hub answers. While it waits it is a pointer in the hub and a descriptor in the front.
 */
typedef struct
{
  gatomicrefcount refs;
  gpointer connection;
  gpointer session;
  HarkHandOver *answers;
  HarkEngineMethod method;
  guint route_kind;
  gboolean octets;
  char *query;
  char address[HARK_ADDRESS_LEN];
  HarkAddressLease *lease;
  guint8 *body;
  gsize body_len;
  gsize offset;
  guint n_packets;
  guint status;
  const char *type;
  GBytes *content;
  char opened[24];
} HarkEngineRequest;

HarkEngineRequest *hark_engine_request_new (HarkHandOver *answers, HarkEngineMethod method);
HarkEngineRequest *hark_engine_request_ref (HarkEngineRequest *self);
void hark_engine_request_unref (HarkEngineRequest *self);
void hark_engine_request_answer (HarkEngineRequest *self, guint status, const char *type, GBytes *content);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkEngineRequest, hark_engine_request_unref)

G_END_DECLS
