/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/topic.h"

G_BEGIN_DECLS

/**
 * HarkEvent:
 *
 * One change on a topic. Immutable once made; made in the store's writer thread by the work that stored it (or in the
 * hub for what is not stored), then handed to the hub's thread. @json is the complete object that a native client
 * receives, `type` and `seq` included; other protocols wrap it.
 */
typedef struct
{
  gatomicrefcount refs;
  HarkTopic topic;    /* (owned) */
  gint64 seq;         /* position on @topic; 0 when not stored */
  gint64 rev;         /* position among all changes; 0 when not stored */
  const char *kind;   /* interned: the JSON's `type` */
  GArray *audience;   /* (nullable) (owned) (element-type gint64): sorted ids of the only users who may see it */
  gint64 except;      /* a user who does not get it; 0: none */
  gint64 subject;     /* of what on @topic it tells, for who has only a part of the topic; 0: of all of it */
  gboolean droppable; /* not worth a session: who has much waiting does not get it */
  gsize len;          /* bytes in @json */
  char json[];        /* not terminated */
} HarkEvent;

HarkEvent *hark_event_new (const HarkTopic *topic, gint64 seq, gint64 rev, const char *kind, const char *json,
                           gsize len);
void hark_event_take_audience (HarkEvent *self, GArray *audience);
void hark_event_set_except (HarkEvent *self, gint64 user_id);
void hark_event_set_droppable (HarkEvent *self);
gboolean hark_event_may_see (const HarkEvent *self, gint64 user_id);
HarkEvent *hark_event_ref (HarkEvent *self);
void hark_event_unref (HarkEvent *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkEvent, hark_event_unref)

G_END_DECLS
