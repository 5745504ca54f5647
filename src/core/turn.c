/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a turn of the hub's loop: the moment at which what a turn collected is delivered and written, once for
 * all events instead of once for each. The reactor and the store's mailbox end the turn themselves when they have
 * handed over all they had; for everything else (timers, D-Bus calls) a source does, in the next iteration.
 */
#include "core/turn.h"

struct _HarkTurn
{
  GObject parent_instance;
  GSource *source; /* (owned) */
  gboolean marked;
  gboolean ending; /* inside hark_turn_end () */
  HarkTurnFunc funcs[HARK_N_TURN_STAGES];
  gpointer datas[HARK_N_TURN_STAGES];
};

G_DEFINE_FINAL_TYPE (HarkTurn, hark_turn, G_TYPE_OBJECT)

typedef struct
{
  GSource source;
  HarkTurn *turn; /* unowned: the turn destroys the source */
} TurnSource;

static gboolean
turn_source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return ((TurnSource *)source)->turn->marked;
}

static gboolean
turn_source_check (GSource *source)
{
  return ((TurnSource *)source)->turn->marked;
}

static gboolean
turn_source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  hark_turn_end (((TurnSource *)source)->turn);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs turn_source_funcs = { turn_source_prepare, turn_source_check, turn_source_dispatch, NULL };

static void
hark_turn_dispose (GObject *object)
{
  HarkTurn *self = HARK_TURN (object);
  if (self->source != NULL)
    {
      g_source_destroy (self->source);
      g_clear_pointer (&self->source, g_source_unref);
    }
  G_OBJECT_CLASS (hark_turn_parent_class)->dispose (object);
}

static void
hark_turn_class_init (HarkTurnClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_turn_dispose;
}

static void
hark_turn_init (HarkTurn *self)
{
}

/**
 * hark_turn_new:
 * @context: (nullable): the hub's context
 *
 * Returns: (transfer full): the turns of that context
 */
HarkTurn *
hark_turn_new (GMainContext *context)
{
  HarkTurn *self = g_object_new (HARK_TYPE_TURN, NULL);
  self->source = g_source_new (&turn_source_funcs, sizeof (TurnSource));
  ((TurnSource *)self->source)->turn = self;
  g_source_set_static_name (self->source, "hark-turn");
  g_source_attach (self->source, context);
  return self;
}

/* Sets or, with %NULL, clears what a stage does. @data must outlive it. */
void
hark_turn_set_stage (HarkTurn *self, HarkTurnStage stage, HarkTurnFunc func, gpointer data)
{
  self->funcs[stage] = func;
  self->datas[stage] = data;
}

/* Something waits for the turn's end. */
void
hark_turn_mark (HarkTurn *self)
{
  self->marked = TRUE;
}

/**
 * hark_turn_end:
 *
 * Delivers, then writes. Does nothing when nothing was marked. A stage may mark again (a write that fails ends a
 * session, which others are told about); a bounded number of times that is done at once, the rest in the next turn.
 * From inside a stage it does nothing: stages walk over lists that would change under them.
 */
void
hark_turn_end (HarkTurn *self)
{
  g_autoptr (HarkTurn) hold G_GNUC_UNUSED = g_object_ref (self);
  if (self->ending)
    return;
  self->ending = TRUE;
  for (guint round = 0; self->marked && round < 4; round++)
    {
      self->marked = FALSE;
      for (guint i = 0; i < HARK_N_TURN_STAGES; i++)
        if (self->funcs[i] != NULL)
          self->funcs[i](self->datas[i]);
    }
  self->ending = FALSE;
}
