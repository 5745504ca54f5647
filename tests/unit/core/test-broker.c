/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/broker.h"

/* A broker that gives what is published to the others as well as to itself, when it is told to. */
#define FAKE_TYPE_BROKER (fake_broker_get_type ())
G_DECLARE_FINAL_TYPE (FakeBroker, fake_broker, FAKE, BROKER, GObject)

struct _FakeBroker
{
  GObject parent_instance;
  GPtrArray *batches; /* (element-type GPtrArray) */
};

static void
fake_publish (HarkBroker *broker, GPtrArray *events)
{
  g_ptr_array_add (((FakeBroker *)broker)->batches, g_ptr_array_ref (events));
}

static void
broker_iface_init (HarkBrokerInterface *iface)
{
  iface->publish = fake_publish;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeBroker, fake_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_BROKER, broker_iface_init))

static void
fake_broker_finalize (GObject *object)
{
  g_ptr_array_unref (((FakeBroker *)object)->batches);
  G_OBJECT_CLASS (fake_broker_parent_class)->finalize (object);
}

static void
fake_broker_class_init (FakeBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_broker_finalize;
}

static void
fake_broker_init (FakeBroker *self)
{
  self->batches = g_ptr_array_new_with_free_func ((GDestroyNotify)g_ptr_array_unref);
}

static void
fake_broker_carry (FakeBroker *self)
{
  for (guint i = 0; i < self->batches->len; i++)
    hark_broker_emit_received (HARK_BROKER (self), self->batches->pdata[i]);
  g_ptr_array_set_size (self->batches, 0);
}

static GPtrArray *
batch_of (gint64 first, guint n)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  GPtrArray *events = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (events, hark_event_new (&topic, first + i, first + i, "note", "{}", 2));
  return events;
}

static void
on_received (HarkBroker *broker, GPtrArray *events, GString *log)
{
  for (guint i = 0; i < events->len; i++)
    g_string_append_printf (log, "%d ", (int)((HarkEvent *)events->pdata[i])->rev);
  g_string_append (log, "| ");
}

static void
test_batches (void)
{
  FakeBroker *broker = g_object_new (FAKE_TYPE_BROKER, NULL);
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (GString) other = g_string_new (NULL);
  GPtrArray *first = batch_of (1, 3), *second = batch_of (4, 1);
  g_test_summary ("What is published reaches all who listen in its batches, in order, and stays until it has.");
  g_signal_connect (broker, "received", G_CALLBACK (on_received), log);
  g_signal_connect (broker, "received", G_CALLBACK (on_received), other);
  hark_broker_publish (HARK_BROKER (broker), first);
  hark_broker_publish (HARK_BROKER (broker), second);
  g_ptr_array_unref (first);
  g_ptr_array_unref (second);
  g_assert_cmpstr (log->str, ==, "");
  fake_broker_carry (broker);
  g_assert_cmpstr (log->str, ==, "1 2 3 | 4 | ");
  g_assert_cmpstr (other->str, ==, log->str);
  g_assert_finalize_object (broker);
}

static void
test_nobody (void)
{
  FakeBroker *broker = g_object_new (FAKE_TYPE_BROKER, NULL);
  g_autoptr (GPtrArray) events = batch_of (1, 1);
  g_test_summary ("Nobody needs to listen.");
  hark_broker_publish (HARK_BROKER (broker), events);
  fake_broker_carry (broker);
  g_assert_cmpuint (broker->batches->len, ==, 0);
  g_assert_finalize_object (broker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/broker/batches", test_batches);
  g_test_add_func ("/broker/nobody", test_nobody);
  return g_test_run ();
}
