/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat.h"
#include "daemon/descriptor-store.h"
#include "daemon/wires.h"
#include "transport/front.h"
#include "transport/reactor.h"

G_BEGIN_DECLS

/**
 * HarkHandoffParts:
 *
 * What of the application has a part in it; unowned.
 */
typedef struct
{
  HarkHub *hub;
  HarkChat *chat;
  HarkReactor *reactor;
  HarkProtocol *native;
  HarkWires *wires;
  HarkFront *front;
  HarkDescriptorStore *descriptors; /* (nullable) */
  gboolean is_restart;              /* only what lies in @descriptors can go on */
} HarkHandoffParts;

/**
 * HarkHandoffNameFunc:
 * @fd: (transfer full): of a connection that goes on
 *
 * Returns: (transfer full): a name by which the next process will find the descriptor
 */
typedef char *(*HarkHandoffNameFunc) (HarkSession *session, int fd, gpointer data);

/* The former process. */
void hark_handoff_close_others (const HarkHandoffParts *parts, gboolean is_late);
gboolean hark_handoff_is_settled (const HarkHandoffParts *parts);
GVariant *hark_handoff_save (const HarkHandoffParts *parts, GVariant *listeners, HarkHandoffNameFunc name_func,
                             gpointer data);
int hark_handoff_write (GVariant *state, GError **error);

/* The next one. */
GVariant *hark_handoff_read (int fd, GError **error);
GVariant *hark_handoff_get_listeners (GVariant *state);
guint hark_handoff_get_n_connections (GVariant *state);
void hark_handoff_keep_sessions (GVariant *state, HarkChat *chat);

/* After one that was killed: the same from what it could not hand on, but had written as it went. */
void hark_handoff_keep_logged (HarkLogbook *logbook, HarkChat *chat);
GVariant *hark_handoff_compose (HarkLogbook *logbook, HarkChat *chat);

/* Returns: (transfer full): the descriptor that the former process has named; -1 when there is none */
typedef int (*HarkHandoffFdFunc) (const char *name, gpointer data);
guint hark_handoff_restore (GVariant *state, const HarkHandoffParts *parts, HarkHandoffFdFunc fd_func, gpointer data);

void hark_handoff_end_others (HarkLogbook *logbook, const HarkHandoffParts *parts, HarkHandoffFdFunc fd_func,
                              gpointer data);

int hark_handoff_get_fd (const HarkHandoffParts *parts, HarkSession *session, guint32 *mark_flags);

G_END_DECLS
