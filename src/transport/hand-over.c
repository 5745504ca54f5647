/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of things from one thread into another: a queue under a lock and a source in the receiver's context, woken
 * once for as many as come while it sleeps. The receiver takes a number of them in a turn and no more, so that a storm
 * does not hold up what else it serves. The front's and the hub's thread speak to each other by these alone.
 */
#include "transport/hand-over.h"

#define COMPACT_AT 4096

typedef struct
{
  guint kind;
  gpointer data;
} Item;

struct _HarkHandOver
{
  GObject parent_instance;
  GSource *source; /* (owned) (nullable): in the receiver's context; NULL when stopped */
  HarkHandOverFunc func;
  gpointer data;
  GDestroyNotify destroy;
  GMutex lock;
  GArray *items; /* (element-type Item) */
  guint next;    /* the first of them that was not taken */
  gboolean corked;
};

G_DEFINE_FINAL_TYPE (HarkHandOver, hark_hand_over, G_TYPE_OBJECT)

static gboolean
on_woken (gpointer data)
{
  g_autoptr (HarkHandOver) self = g_object_ref (data);
  g_source_set_ready_time (self->source, -1);
  self->func (self, self->data);
  if (self->source != NULL && hark_hand_over_get_length (self) > 0)
    g_source_set_ready_time (self->source, 0);
  return G_SOURCE_CONTINUE;
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static GSourceFuncs source_funcs = { NULL, NULL, source_dispatch, NULL };

static void
hark_hand_over_dispose (GObject *object)
{
  hark_hand_over_stop (HARK_HAND_OVER (object));
  G_OBJECT_CLASS (hark_hand_over_parent_class)->dispose (object);
}

static void
hark_hand_over_finalize (GObject *object)
{
  HarkHandOver *self = HARK_HAND_OVER (object);
  g_array_unref (self->items);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (hark_hand_over_parent_class)->finalize (object);
}

static void
hark_hand_over_class_init (HarkHandOverClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_hand_over_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_hand_over_finalize;
}

static void
hark_hand_over_init (HarkHandOver *self)
{
  g_mutex_init (&self->lock);
  self->items = g_array_new (FALSE, FALSE, sizeof (Item));
}

/**
 * hark_hand_over_new:
 * @context: (nullable): the receiver's
 * @name: (transfer none): of its source; static
 * @destroy: for what nobody takes
 * @func: called in @context's thread while something waits
 */
HarkHandOver *
hark_hand_over_new (GMainContext *context, const char *name, GDestroyNotify destroy, HarkHandOverFunc func,
                    gpointer data)
{
  HarkHandOver *self = g_object_new (HARK_TYPE_HAND_OVER, NULL);
  self->destroy = destroy;
  self->func = func;
  self->data = data;
  self->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_static_name (self->source, name);
  g_source_set_callback (self->source, on_woken, self, NULL);
  g_source_attach (self->source, context);
  return self;
}

/**
 * hark_hand_over_push:
 * @kind: of the sender's and the receiver's choice
 * @item: (transfer full)
 *
 * From any thread. Never refused: what bounds it is to be looked at before. After hark_hand_over_stop () @item is
 * destroyed.
 */
void
hark_hand_over_push (HarkHandOver *self, guint kind, gpointer item)
{
  Item entry = { kind, item };
  gboolean taken;
  g_mutex_lock (&self->lock);
  taken = self->source != NULL;
  if (taken)
    {
      g_array_append_val (self->items, entry);
      if (!self->corked)
        g_source_set_ready_time (self->source, 0); /* wakes nobody when it is due already */
    }
  g_mutex_unlock (&self->lock);
  if (!taken)
    self->destroy (item);
}

/**
 * hark_hand_over_cork:
 *
 * Until hark_hand_over_uncork () the receiver is not woken: whoever is the only sender has several things to hand over,
 * and a wake-up costs more than a thing.
 */
void
hark_hand_over_cork (HarkHandOver *self)
{
  g_mutex_lock (&self->lock);
  self->corked = TRUE;
  g_mutex_unlock (&self->lock);
}

void
hark_hand_over_uncork (HarkHandOver *self)
{
  g_mutex_lock (&self->lock);
  self->corked = FALSE;
  if (self->source != NULL && self->next < self->items->len)
    g_source_set_ready_time (self->source, 0);
  g_mutex_unlock (&self->lock);
}

/* From any thread. Returns: how many wait */
guint
hark_hand_over_get_length (HarkHandOver *self)
{
  guint length;
  g_mutex_lock (&self->lock);
  length = self->items->len - self->next;
  g_mutex_unlock (&self->lock);
  return length;
}

/**
 * hark_hand_over_pop:
 * @kind: (out) (optional)
 *
 * Returns: (transfer full) (nullable): the first that waits
 */
gpointer
hark_hand_over_pop (HarkHandOver *self, guint *kind)
{
  Item item = { 0 };
  g_mutex_lock (&self->lock);
  if (self->next < self->items->len)
    item = g_array_index (self->items, Item, self->next++);
  /* What was taken is dropped all at once, and now and then when there is always more. */
  if (self->next == self->items->len || self->next >= COMPACT_AT)
    {
      g_array_remove_range (self->items, 0, self->next);
      self->next = 0;
    }
  g_mutex_unlock (&self->lock);
  if (kind != NULL)
    *kind = item.kind;
  return item.data;
}

/* In the receiver's thread: its function is not called any more, and what waits is destroyed. */
void
hark_hand_over_stop (HarkHandOver *self)
{
  GSource *source;
  gpointer item;
  g_mutex_lock (&self->lock);
  source = g_steal_pointer (&self->source);
  g_mutex_unlock (&self->lock);
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
  while ((item = hark_hand_over_pop (self, NULL)) != NULL)
    self->destroy (item);
}
