/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/command.h"
#include "core/store.h"

G_BEGIN_DECLS

/**
 * HarkRequest:
 * @command: (owned): the hub's thread's alone: works do not touch it
 * @concern: unowned
 * @reply: the reply's members as an object; the work writes into it
 *
 * A command on its way through the store. Concerns embed it as the first member of what their work needs to know.
 */
typedef struct _HarkRequest HarkRequest;

typedef void (*HarkRequestFunc) (gpointer request);

struct _HarkRequest
{
  HarkCommand *command;
  gpointer concern;
  gint64 actor; /* user id; 0: nobody's, an administrator's on the bus */
  gboolean is_admin;
  HarkJsonWriter reply;
  HarkRequestFunc done;  /* (nullable) */
  HarkRequestFunc clear; /* (nullable) */
};

gpointer hark_request_new (gsize size, HarkCommand *command, gpointer concern, HarkRequestFunc clear);
void hark_request_free (gpointer request);
void hark_request_refuse (gpointer request, GError *error);
void hark_request_reply (gpointer request);
void hark_request_write (gpointer request, HarkStore *store, HarkWork work, HarkRequestFunc done);
void hark_request_read (gpointer request, HarkStore *store, HarkWork work, HarkRequestFunc done);

G_END_DECLS
