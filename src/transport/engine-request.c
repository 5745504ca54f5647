/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request on its way from the front's thread to the hub's and back. Each has a reference while it concerns him; each
 * field belongs to one of them at a time, and changes hands with the request.
 */
#include "transport/engine-request.h"

/* @answers: where the answer is handed over to */
HarkEngineRequest *
hark_engine_request_new (HarkHandOver *answers, HarkEngineMethod method)
{
  HarkEngineRequest *self = g_new0 (HarkEngineRequest, 1);
  g_atomic_ref_count_init (&self->refs);
  self->answers = g_object_ref (answers);
  self->method = method;
  return self;
}

HarkEngineRequest *
hark_engine_request_ref (HarkEngineRequest *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
hark_engine_request_unref (HarkEngineRequest *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_object_unref (self->answers);
  g_clear_pointer (&self->lease, hark_address_lease_free);
  g_clear_pointer (&self->content, g_bytes_unref);
  g_free (self->query);
  g_free (self->body);
  g_free (self);
}

/**
 * hark_engine_request_answer:
 * @self: (transfer full): not yet answered
 * @type: (nullable): of @content; static
 * @content: (transfer full) (nullable)
 */
void
hark_engine_request_answer (HarkEngineRequest *self, guint status, const char *type, GBytes *content)
{
  g_assert (self->status == 0);
  self->status = status;
  self->type = type;
  self->content = content;
  self->session = NULL;
  hark_hand_over_push (self->answers, 0, self);
}
