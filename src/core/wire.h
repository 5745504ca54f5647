/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/builder.h"
#include "core/command.h"
#include "model/event.h"

G_BEGIN_DECLS

/* How many ways of putting events on a wire there can be in one hub. */
#define HARK_MAX_WIRES 16

/**
 * HarkWire:
 * @index: below %HARK_MAX_WIRES; different for each wire of a hub
 * @append_event: appends @event as one whole wire unit
 * @append_reply: appends a reply, @json being the complete object a native client gets
 *
 * A protocol inside a transport's framing: "native JSON in WebSocket frames", "Socket.IO in polling packets". All
 * sessions of a wire receive the same bytes for an event, so it is encoded once for each wire and not for each session.
 */
typedef struct _HarkWire HarkWire;

struct _HarkWire
{
  guint index;
  const char *name;
  void (*append_event) (const HarkWire *self, HarkBuilder *out, const HarkEvent *event);
  void (*append_reply) (const HarkWire *self, HarkBuilder *out, HarkCommand *command, const char *json, gsize len);
};

G_END_DECLS
