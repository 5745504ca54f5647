/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a method call to the dispatcher and back. A method that the XML calls a request is asked of the dispatcher on
 * behalf of an administrator, exactly as a native session would ask it; the bus adds no rules of its own. Calls under
 * way are counted and bounded; one whose caller has gone is carried out all the same, and its answer dropped.
 */
#include "bus/bridge.h"

#include "base/error.h"
#include "bus/translate.h"

/* An rc box: one reference is the table's, one the dispatcher's until it answers. */
typedef struct
{
  HarkBusBridge *bridge;             /* (nullable): unowned; %NULL when dropped */
  GDBusMethodInvocation *invocation; /* (owned) (nullable): %NULL when answered or dropped */
} Call;

struct _HarkBusBridge
{
  GObject parent_instance;
  HarkDispatcher *dispatcher; /* (owned) */
  HarkIdentity *actor;        /* (owned) */
  HarkBusLimits limits;
  GHashTable *calls; /* set of Call (owned): those not yet answered */
  HarkCounter *n_calls;
  HarkCounter *n_refused;
  HarkGauge *n_pending;
};

G_DEFINE_FINAL_TYPE (HarkBusBridge, hark_bus_bridge, G_TYPE_OBJECT)

static void
call_unref (gpointer data)
{
  g_rc_box_release (data);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_unref)

static void
hark_bus_bridge_dispose (GObject *object)
{
  HarkBusBridge *self = HARK_BUS_BRIDGE (object);
  hark_bus_bridge_drop_all (self);
  g_clear_object (&self->dispatcher);
  G_OBJECT_CLASS (hark_bus_bridge_parent_class)->dispose (object);
}

static void
hark_bus_bridge_finalize (GObject *object)
{
  HarkBusBridge *self = HARK_BUS_BRIDGE (object);
  hark_identity_unref (self->actor);
  g_hash_table_unref (self->calls);
  G_OBJECT_CLASS (hark_bus_bridge_parent_class)->finalize (object);
}

static void
hark_bus_bridge_class_init (HarkBusBridgeClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = hark_bus_bridge_dispose;
  object_class->finalize = hark_bus_bridge_finalize;
}

static void
hark_bus_bridge_init (HarkBusBridge *self)
{
  self->actor = hark_identity_new (0, "administrator", 0, 0, HARK_IDENTITY_ADMIN);
  self->calls = g_hash_table_new_full (NULL, NULL, call_unref, NULL);
}

/**
 * hark_bus_bridge_new:
 *
 * Returns: (transfer full): a bridge to @dispatcher
 */
HarkBusBridge *
hark_bus_bridge_new (HarkDispatcher *dispatcher, HarkMetrics *metrics, const HarkBusLimits *limits)
{
  HarkBusBridge *self = g_object_new (HARK_TYPE_BUS_BRIDGE, NULL);
  self->dispatcher = g_object_ref (dispatcher);
  self->limits = *limits;
  self->n_calls = hark_metrics_counter (metrics, "hark_bus_calls_total", "Requests that came over D-Bus.");
  self->n_refused = hark_metrics_counter (metrics, "hark_bus_calls_refused_total",
                                          "Requests over D-Bus refused because too many were under way.");
  self->n_pending = hark_metrics_gauge (metrics, "hark_bus_calls", "Requests over D-Bus that are under way.");
  return self;
}

/* Takes the call out of the table. Returns: (transfer full): what is to be answered */
static GDBusMethodInvocation *
end_call (HarkBusBridge *self, Call *call)
{
  GDBusMethodInvocation *invocation = g_steal_pointer (&call->invocation);
  call->bridge = NULL;
  g_hash_table_remove (self->calls, call);
  hark_gauge_set (self->n_pending, g_hash_table_size (self->calls));
  return invocation;
}

/* Only what is in the table is told to callers; the rest is logged where it happened. */
static void
return_error (GDBusMethodInvocation *invocation, const GError *error)
{
  if (error->domain == HARK_ERROR)
    g_dbus_method_invocation_return_gerror (invocation, error);
  else
    g_dbus_method_invocation_return_error_literal (invocation, HARK_ERROR, HARK_ERROR_INTERNAL,
                                                   "something went wrong inside Hark");
}

static void
on_dispatcher_answer (const char *json, gsize len, const GError *error, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GVariant) reply = NULL;
  GDBusMethodInvocation *invocation;
  if (call->bridge == NULL)
    return;
  invocation = end_call (call->bridge, call);
  if (error != NULL)
    {
      return_error (invocation, error);
      return;
    }
  reply = hark_bus_translate_reply (g_dbus_method_invocation_get_method_info (invocation), json, len, &local_error);
  if (reply == NULL)
    {
      g_message ("%s: %s", g_dbus_method_invocation_get_method_name (invocation), local_error->message);
      return_error (invocation, local_error);
      return;
    }
  g_dbus_method_invocation_return_value (invocation, reply);
}

/* Returns: whether the XML says that @method is a request */
gboolean
hark_bus_bridge_serves (const GDBusMethodInfo *method)
{
  return g_dbus_annotation_info_lookup (method->annotations, HARK_BUS_ANNOTATION_COMMAND) != NULL;
}

/**
 * hark_bus_bridge_call:
 * @invocation: (transfer full): of a method that hark_bus_bridge_serves (), by a caller that may
 *
 * Asks the dispatcher, and returns its answer to the caller.
 */
void
hark_bus_bridge_call (HarkBusBridge *self, GDBusMethodInvocation *invocation)
{
  const GDBusMethodInfo *method = g_dbus_method_invocation_get_method_info (invocation);
  g_autoptr (GError) error = NULL;
  g_autofree char *arguments = NULL;
  Call *call;
  hark_counter_add (self->n_calls, 1);
  if (g_hash_table_size (self->calls) >= self->limits.max_calls)
    {
      hark_counter_add (self->n_refused, 1);
      g_dbus_method_invocation_return_error_literal (invocation, HARK_ERROR, HARK_ERROR_OVERLOADED,
                                                     "too many requests are under way");
      return;
    }
  arguments = hark_bus_translate_arguments (method, g_dbus_method_invocation_get_parameters (invocation), &error);
  if (arguments == NULL)
    {
      return_error (invocation, error);
      return;
    }
  call = g_rc_box_new0 (Call);
  call->bridge = self;
  call->invocation = invocation;
  g_hash_table_add (self->calls, g_rc_box_acquire (call));
  hark_gauge_set (self->n_pending, g_hash_table_size (self->calls));
  hark_dispatcher_call (self->dispatcher, self->actor,
                        g_dbus_annotation_info_lookup (method->annotations, HARK_BUS_ANNOTATION_COMMAND), arguments,
                        on_dispatcher_answer, call);
}

static void
drop (HarkBusBridge *self, Call *call)
{
  g_dbus_method_invocation_return_error_literal (end_call (self, call), HARK_ERROR, HARK_ERROR_OVERLOADED,
                                                 "the hub is going away");
}

/**
 * hark_bus_bridge_drop_caller:
 * @sender: a unique name that is gone
 *
 * Forgets the calls of somebody who has left: their answers would reach nobody.
 */
void
hark_bus_bridge_drop_caller (HarkBusBridge *self, const char *sender)
{
  g_autoptr (GList) calls = g_hash_table_get_keys (self->calls);
  for (GList *l = calls; l != NULL; l = l->next)
    {
      Call *call = l->data;
      if (g_strcmp0 (g_dbus_method_invocation_get_sender (call->invocation), sender) == 0)
        drop (self, call);
    }
}

/* Answers every call that waits with an error: the bus or the hub is going away. */
void
hark_bus_bridge_drop_all (HarkBusBridge *self)
{
  g_autoptr (GList) calls = g_hash_table_get_keys (self->calls);
  for (GList *l = calls; l != NULL; l = l->next)
    drop (self, l->data);
}
