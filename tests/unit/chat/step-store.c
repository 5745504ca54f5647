/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time between what a store does and what the hub sees of it, for tests to act in. */
#include "step-store.h"

#include "base/error.h"

typedef struct
{
  StepStore *owner;
  HarkWork work;
  gpointer data;
  GDestroyNotify destroy;
  HarkWorkDone done;
  gpointer user_data;
  GError *error;     /* (owned) (nullable) */
  GPtrArray *events; /* (owned) (nullable) */
} Step;

struct _StepStore
{
  GObject parent_instance;
  HarkStore *store; /* (owned) */
  gboolean hold;
  gboolean fail_writes;
  guint n_under_way; /* jobs that the store has */
  GQueue begun;      /* (element-type Step): reads not begun */
  GQueue read;       /* (element-type Step): reads not delivered */
  GQueue committed;  /* (element-type Step): works whose events and ends are not handed over */
  GPtrArray *events; /* (nullable): of the work whose end comes next */
  HarkCommitted func;
  gpointer func_data;
};

static void step_store_iface_init (HarkStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (StepStore, step_store, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_STORE, step_store_iface_init))

static Step *
step_new (StepStore *self, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done, gpointer user_data)
{
  Step *step = g_new0 (Step, 1);
  step->owner = self;
  step->work = work;
  step->data = data;
  step->destroy = destroy;
  step->done = done;
  step->user_data = user_data;
  return step;
}

static void
step_end (Step *step)
{
  StepStore *self = step->owner;
  if (step->events != NULL && step->error == NULL)
    self->func (step->events, self->func_data);
  if (step->done != NULL)
    step->done (step->data, step->error, step->user_data);
  if (step->destroy != NULL)
    step->destroy (step->data);
  g_clear_error (&step->error);
  g_clear_pointer (&step->events, g_ptr_array_unref);
  g_free (step);
}

static gboolean
run_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Step *step = data;
  return step->work (tx, step->data, error);
}

static void
on_read (gpointer data, const GError *error, gpointer user_data)
{
  Step *step = data;
  step->owner->n_under_way--;
  step->error = error != NULL ? g_error_copy (error) : NULL;
  if (step->owner->hold)
    g_queue_push_tail (&step->owner->read, step);
  else
    step_end (step);
}

static void
on_written (gpointer data, const GError *error, gpointer user_data)
{
  Step *step = data;
  step->owner->n_under_way--;
  step->error = error != NULL ? g_error_copy (error) : NULL;
  step->events = g_steal_pointer (&step->owner->events);
  if (step->owner->hold || !g_queue_is_empty (&step->owner->committed))
    g_queue_push_tail (&step->owner->committed, step);
  else
    step_end (step);
}

static void
on_committed (GPtrArray *events, gpointer data)
{
  StepStore *self = data;
  self->events = g_ptr_array_ref (events);
}

static gboolean
fail_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_OVERLOADED, "store: the disk is full");
  return FALSE;
}

static void
step_store_write (HarkStore *store, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                  gpointer user_data)
{
  StepStore *self = STEP_STORE (store);
  Step *step = step_new (self, self->fail_writes ? fail_in_thread : work, data, destroy, done, user_data);
  self->n_under_way++;
  hark_store_write (self->store, run_in_thread, step, NULL, on_written, NULL);
}

static void
begin (Step *step)
{
  step->owner->n_under_way++;
  hark_store_read (step->owner->store, run_in_thread, step, NULL, on_read, NULL);
}

static void
step_store_read (HarkStore *store, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                 gpointer user_data)
{
  StepStore *self = STEP_STORE (store);
  Step *step = step_new (self, work, data, destroy, done, user_data);
  if (self->hold)
    g_queue_push_tail (&self->begun, step);
  else
    begin (step);
}

static void
step_store_set_committed (HarkStore *store, HarkCommitted func, gpointer user_data)
{
  StepStore *self = STEP_STORE (store);
  self->func = func;
  self->func_data = user_data;
  hark_store_set_committed (self->store, on_committed, self);
}

static void
step_store_iface_init (HarkStoreInterface *iface)
{
  iface->write = step_store_write;
  iface->read = step_store_read;
  iface->set_committed = step_store_set_committed;
}

static void
step_store_finalize (GObject *object)
{
  StepStore *self = STEP_STORE (object);
  g_assert_true (g_queue_is_empty (&self->begun) && g_queue_is_empty (&self->read)
                 && g_queue_is_empty (&self->committed));
  g_clear_object (&self->store);
  G_OBJECT_CLASS (step_store_parent_class)->finalize (object);
}

static void
step_store_class_init (StepStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = step_store_finalize;
}

static void
step_store_init (StepStore *self)
{
  g_queue_init (&self->begun);
  g_queue_init (&self->read);
  g_queue_init (&self->committed);
}

StepStore *
step_store_new (HarkStore *store)
{
  StepStore *self = g_object_new (STEP_TYPE_STORE, NULL);
  self->store = g_object_ref (store);
  return self;
}

/* @hold: %FALSE: hands over all it has, and everything from now on */
void
step_store_hold (StepStore *self, gboolean hold)
{
  self->hold = hold;
  if (hold)
    return;
  while (step_store_publish_one (self) > 0)
    ;
  step_store_deliver_reads (self);
  step_store_begin_reads (self);
}

/* Lets the readers at what was asked for. Returns: how many reads that were */
guint
step_store_begin_reads (StepStore *self)
{
  guint n = 0;
  for (Step *step; (step = g_queue_pop_head (&self->begun)) != NULL; n++)
    begin (step);
  return n;
}

/* Gives what was read. Returns: how many results that were */
guint
step_store_deliver_reads (StepStore *self)
{
  guint n = 0;
  for (Step *step; (step = g_queue_pop_head (&self->read)) != NULL; n++)
    step_end (step);
  return n;
}

/* Gives what was read last, before all else that was read. */
void
step_store_deliver_last_read (StepStore *self)
{
  Step *step = g_queue_pop_tail (&self->read);
  g_assert_nonnull (step);
  step_end (step);
}

/* Gives one commit's events and end. Returns: 0 when there was none */
guint
step_store_publish_one (StepStore *self)
{
  Step *step = g_queue_pop_head (&self->committed);
  if (step == NULL)
    return 0;
  step_end (step);
  return 1;
}

/* How many jobs the store has not finished. */
guint
step_store_get_n_under_way (StepStore *self)
{
  return self->n_under_way;
}

/* @fail: whether all works fail from now on, as on a full disk */
void
step_store_fail_writes (StepStore *self, gboolean fail)
{
  self->fail_writes = fail;
}
