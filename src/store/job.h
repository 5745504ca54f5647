/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkJob HarkJob;

/**
 * HarkJob:
 *
 * A piece of work on its way: made where it was asked for, run in a thread, ended where it was asked for. It is in one
 * list at a time and belongs to whoever has that list.
 */
struct _HarkJob
{
  HarkJob *next;
  HarkWork work;
  gpointer data;          /* (owned) */
  GDestroyNotify destroy; /* (nullable) */
  HarkWorkDone done;      /* (nullable) */
  gpointer user_data;
  gint64 asked;          /* microseconds, on GLib's monotonic clock */
  GMainContext *context; /* (nullable) (owned): where it ends; NULL: in the hub's */
  GPtrArray *events;     /* (nullable) (owned) (element-type HarkEvent) */
  GError *error;         /* (nullable) (owned) */
};

HarkJob *hark_job_new (HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done, gpointer user_data);
void hark_job_free (HarkJob *self);
void hark_job_finish (HarkJob *self);
void hark_job_take_error (HarkJob *self, GError *error);

/* Jobs in order; zeroed it is empty. */
typedef struct
{
  HarkJob *head;
  HarkJob *tail;
  guint len;
} HarkJobList;

static inline void
hark_job_list_append (HarkJobList *self, HarkJob *job)
{
  job->next = NULL;
  if (self->tail != NULL)
    self->tail->next = job;
  else
    self->head = job;
  self->tail = job;
  self->len++;
}

static inline HarkJob *
hark_job_list_pop (HarkJobList *self)
{
  HarkJob *job = self->head;
  if (job == NULL)
    return NULL;
  self->head = job->next;
  if (self->head == NULL)
    self->tail = NULL;
  self->len--;
  job->next = NULL;
  return job;
}

void hark_job_list_move (HarkJobList *self, HarkJobList *from, guint max);

G_END_DECLS
