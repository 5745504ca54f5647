/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-object.h"
#include "base/json-writer.h"
#include "base/metrics.h"
#include "model/identity.h"

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _HarkCommand HarkCommand;
typedef struct _HarkSession HarkSession;

typedef enum
{
  HARK_COMMAND_NONE = 0,
  HARK_COMMAND_ANONYMOUS = 1 << 0,       /* sessions without an account may use it */
  HARK_COMMAND_UNAUTHENTICATED = 1 << 1, /* sessions that have not said who they are may use it */
  HARK_COMMAND_ADMIN = 1 << 2,           /* administrators alone: over D-Bus, or with an administrator's token */
  HARK_COMMAND_UNMETERED = 1 << 3,       /* takes nothing from the quota of requests */
  HARK_COMMAND_HTTP = 1 << 4,            /* for everybody over HTTP, too; administrators' commands are anyway */
  HARK_COMMAND_PUBLIC = 1 << 5,          /* over HTTP alone, and without a token */
  HARK_COMMAND_BACK_END = 1 << 6         /* with a back end's key, too, which stands for an administrator's then */
} HarkCommandFlags;

/**
 * HarkCommandSpec:
 * @name: the request's `type`; a constant
 * @quota: (nullable): name of a quota this takes from besides "requests" ("messages", "forwards")
 * @handle: owns the reference to @command that it gets (transfer full), and answers it, now or later, exactly once: by
 *   hark_command_end_reply () or hark_command_fail (). @command->args point into the received message and are gone when
 *   this returns
 *
 * What can be asked, registered by a concern.
 */
typedef struct
{
  const char *name;
  HarkCommandFlags flags;
  const char *quota;
  void (*handle) (HarkCommand *command, gpointer concern);
} HarkCommandSpec;

/* How an answer goes to whoever is no session (D-Bus, HTTP): the complete reply object, or an error. */
typedef void (*HarkCommandAnswer) (const char *json, gsize len, const GError *error, gpointer data);

/**
 * HarkCommand:
 *
 * What a client asks, decoded and checked as far as that can be done without knowing what it means, whatever protocol
 * it came in. Counted; lives until it is answered. Belongs to the hub's thread.
 */
struct _HarkCommand
{
  guint refs;
  const HarkCommandSpec *spec; /* unowned: of the dispatcher */
  HarkSession *session;        /* (owned) (nullable): who asked; %NULL for D-Bus and HTTP */
  HarkIdentity *actor;         /* (owned) (nullable): on whose behalf; %NULL before authentication */
  char *peer;                  /* (owned) (nullable): over HTTP, the address it came from; %NULL for this machine's */
  const HarkJsonObject *args;  /* during handle () only */
  char *ref;                   /* (owned) (nullable): JSON text to be echoed */
  gpointer tag;             /* the protocol's own: what it needs to address the reply (Socket.IO: namespace and id) */
  GDestroyNotify tag_free;  /* (nullable) */
  HarkCommandAnswer answer; /* (nullable) */
  gpointer answer_data;
  HarkCounter **errors;   /* (nullable) unowned: the dispatcher's, by HarkError */
  HarkJsonWriter *writer; /* unowned: the dispatcher's, for one reply at a time */
  gboolean answered;
  gboolean failed;  /* the answer is an error */
  gboolean spared;  /* set by a concern: its refusal is no strike against the session; other quotas bound how often */
  gboolean refused; /* for what the client asked, not for the state of the hub or of others */
};

HarkCommand *hark_command_new (HarkSession *session, HarkIdentity *actor, const char *ref, gsize ref_len);
HarkCommand *hark_command_new_call (HarkIdentity *actor, HarkCommandAnswer answer, gpointer data);
HarkCommand *hark_command_ref (HarkCommand *self);
void hark_command_unref (HarkCommand *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkCommand, hark_command_unref)

gint64 hark_command_get_user_id (const HarkCommand *self);
gboolean hark_command_is_admin (const HarkCommand *self);

/* Begins the reply object: `type` and `ref` are written, the concern writes members, then calls end. No other reply may
 * be begun in between. */
HarkJsonWriter *hark_command_begin_reply (HarkCommand *self);
void hark_command_end_reply (HarkCommand *self);

/* The two together, for a reply without members. */
void hark_command_reply_empty (HarkCommand *self);
/* Done, and nothing to tell: a session that gave no ref is not answered at all. */
void hark_command_end_silently (HarkCommand *self);
void hark_command_fail (HarkCommand *self, const GError *error);
void hark_command_write_error (HarkJsonWriter *writer, const GError *error);
/* As hark_command_fail (); frees @error. */
void hark_command_take_error (HarkCommand *self, GError *error);

G_END_DECLS
