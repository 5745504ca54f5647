/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

/* A back end that takes what it is told to. */
#define FAKE_TYPE_BACK_END (fake_back_end_get_type ())
G_DECLARE_FINAL_TYPE (FakeBackEnd, fake_back_end, FAKE, BACK_END, GObject)

struct _FakeBackEnd
{
  GObject parent_instance;
  GPtrArray *bodies; /* (element-type utf8) (owned): each attempt */
  gboolean refuses;
  HarkBackEndDone done; /* (nullable): of what waits for an answer */
  gpointer data;
};

static void fake_back_end_iface_init (HarkBackEndInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeBackEnd, fake_back_end, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_BACK_END, fake_back_end_iface_init))

static void
fake_back_end_finalize (GObject *object)
{
  g_ptr_array_unref (FAKE_BACK_END (object)->bodies);
  G_OBJECT_CLASS (fake_back_end_parent_class)->finalize (object);
}

static void
fake_back_end_class_init (FakeBackEndClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_back_end_finalize;
}

static void
fake_back_end_init (FakeBackEnd *self)
{
  self->bodies = g_ptr_array_new_with_free_func (g_free);
}

static void
fake_deliver (HarkBackEnd *back_end, const char *id, const char *kind, const char *json, gsize len,
              HarkBackEndDone done, gpointer data)
{
  FakeBackEnd *self = FAKE_BACK_END (back_end);
  g_assert_null (self->done);
  g_ptr_array_add (self->bodies, g_strndup (json, len));
  self->done = done;
  self->data = data;
}

static void
fake_back_end_iface_init (HarkBackEndInterface *iface)
{
  iface->deliver = fake_deliver;
}

/* Answers what waits, and everything that follows at once. Returns: how many attempts were made in all */
static guint
answer (ChatFixture *f, FakeBackEnd *self)
{
  chat_fixture_settle (f);
  while (self->done != NULL)
    {
      g_autoptr (GError) error = self->refuses ? g_error_new (HARK_ERROR, HARK_ERROR_OFFLINE, "it answered 500") : NULL;
      HarkBackEndDone done = self->done;
      self->done = NULL;
      done (error, self->data);
      chat_fixture_settle (f);
    }
  return self->bodies->len;
}

static void
assert_attempt (FakeBackEnd *self, guint i, const char *message)
{
  g_autofree char *content = g_strdup_printf ("\"content\":{\"message\":\"%s\"}", message);
  g_assert_cmpuint (i, <, self->bodies->len);
  g_assert_nonnull (strstr (self->bodies->pdata[i], content));
}

static void
set_up (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.webhook = TRUE;
  f->limits.webhook_attempts = 3;
  f->limits.webhook_queue = 4;
  chat_fixture_start (f);
}

static void
say (Client *client, const char *message)
{
  client_say (client, "{\"message\":\"%s\"}", message);
}

static void
test_taken (ChatFixture *f, gconstpointer data)
{
  g_autoptr (FakeBackEnd) back_end = g_object_new (FAKE_TYPE_BACK_END, NULL);
  Client *client = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_test_summary (
    "What clients say is told in order, one at a time, and then forgotten; who gave no ref hears nothing.");
  hark_chat_set_back_end (f->chat, HARK_BACK_END (back_end));
  say (client, "one");
  say (client, "two");
  chat_fixture_settle (f);
  g_assert_cmpuint (back_end->bodies->len, ==, 1);
  g_assert_cmpuint (answer (f, back_end), ==, 2);
  assert_attempt (back_end, 0, "one");
  assert_attempt (back_end, 1, "two");
  g_assert_nonnull (strstr (back_end->bodies->pdata[0], "\"kind\":\"client_message\""));
  g_assert_nonnull (strstr (back_end->bodies->pdata[0], "\"username\":\"user-"));
  client_assert_silent (client);
  client_do (client, "client_message", "\"message\":{\"any\":[1]}");
  g_assert_cmpuint (answer (f, back_end), ==, 3);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM deliveries"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT waiting FROM delivery_count"), ==, 0);
  client_refused (client, HARK_ERROR_BAD_REQUEST, "message", "client_message", "%s", "");
}

static void
test_retried (ChatFixture *f, gconstpointer data)
{
  g_autoptr (FakeBackEnd) back_end = g_object_new (FAKE_TYPE_BACK_END, NULL);
  Client *client = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_test_summary ("What is not taken is tried again after a pause, before what came later, and given up in the end.");
  hark_chat_set_back_end (f->chat, HARK_BACK_END (back_end));
  back_end->refuses = TRUE;
  say (client, "one");
  say (client, "two");
  g_assert_cmpuint (answer (f, back_end), ==, 1);
  hark_fake_clock_advance (f->clock, 249);
  g_assert_cmpuint (answer (f, back_end), ==, 1);
  hark_fake_clock_advance (f->clock, 251);
  g_assert_cmpuint (answer (f, back_end), ==, 2);
  assert_attempt (back_end, 1, "one");
  hark_fake_clock_advance (f->clock, 499);
  g_assert_cmpuint (answer (f, back_end), ==, 2);
  back_end->refuses = FALSE;
  hark_fake_clock_advance (f->clock, 501);
  g_assert_cmpuint (answer (f, back_end), ==, 4);
  assert_attempt (back_end, 3, "two");
  back_end->refuses = TRUE;
  say (client, "three");
  say (client, "four");
  answer (f, back_end);
  hark_fake_clock_advance (f->clock, 500);
  answer (f, back_end);
  hark_fake_clock_advance (f->clock, 1000);
  g_assert_cmpuint (answer (f, back_end), ==, 8);
  assert_attempt (back_end, 6, "three");
  assert_attempt (back_end, 7, "four");
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_webhook_dropped_total", "")), ==, 1);
  /* Nothing is left that the end of the test could have tried again. */
  back_end->refuses = FALSE;
  hark_fake_clock_advance (f->clock, 500);
  g_assert_cmpuint (answer (f, back_end), ==, 9);
}

static void
test_kept (ChatFixture *f, gconstpointer data)
{
  g_autoptr (FakeBackEnd) first = g_object_new (FAKE_TYPE_BACK_END, NULL);
  g_autoptr (FakeBackEnd) second = g_object_new (FAKE_TYPE_BACK_END, NULL);
  Client *client = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_test_summary ("What was not taken outlives the process, also while the back end is asked.");
  hark_chat_set_back_end (f->chat, HARK_BACK_END (first));
  say (client, "one");
  say (client, "two");
  chat_fixture_settle (f);
  g_assert_cmpuint (first->bodies->len, ==, 1);
  chat_fixture_stop (f);
  first->done (NULL, first->data);
  chat_fixture_start (f);
  hark_chat_set_back_end (f->chat, HARK_BACK_END (second));
  g_assert_cmpuint (answer (f, second), ==, 2);
  assert_attempt (second, 0, "one");
  assert_attempt (second, 1, "two");
}

static void
test_bound (ChatFixture *f, gconstpointer data)
{
  Client *client = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_test_summary ("Beyond the bound of the queue the client is told that it is full, and it is counted.");
  for (guint i = 0; i < 4; i++)
    client_do (client, "client_message", "\"message\":\"m\"");
  client_refused (client, HARK_ERROR_OVERLOADED, NULL, "client_message", "\"message\":\"m\"");
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM deliveries"), ==, 4);
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_webhook_dropped_total", "")), ==, 1);
}

static void
test_others (ChatFixture *f, gconstpointer data)
{
  g_autoptr (FakeBackEnd) back_end = g_object_new (FAKE_TYPE_BACK_END, NULL);
  Client *client = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_test_summary ("What happens elsewhere is told from the same queue, in order, and bounded with the rest.");
  client_do (client, "client_message", "\"message\":\"one\"");
  for (guint i = 0; i < 4; i++)
    hark_chat_tell_back_end (f->chat, "elsewhere", "[1,2]", 5);
  chat_fixture_settle (f);
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_webhook_dropped_total", "")), ==, 1);
  hark_chat_set_back_end (f->chat, HARK_BACK_END (back_end));
  g_assert_cmpuint (answer (f, back_end), ==, 4);
  assert_attempt (back_end, 0, "one");
  g_assert_nonnull (strstr (back_end->bodies->pdata[1], "\"kind\":\"elsewhere\""));
  g_assert_nonnull (strstr (back_end->bodies->pdata[1], "\"data\":[1,2]}"));
}

static void
on_client_message (HarkHub *hub, HarkSession *session, const char *json, char **seen)
{
  g_free (*seen);
  *seen = g_strdup (json);
}

static void
test_without (ChatFixture *f, gconstpointer data)
{
  Client *client = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_autofree char *seen = NULL;
  gulong id = g_signal_connect (f->hub, "client-message", G_CALLBACK (on_client_message), &seen);
  g_test_summary ("Without a webhook nothing is stored; who watches the hub is told, without what was for Hark.");
  client_do (client, "client_message", "\"message\":\"hi\",\"x\":[1]");
  g_assert_cmpstr (seen, ==, "{\"message\":\"hi\",\"x\":[1]}");
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM deliveries"), ==, 0);
  g_signal_handler_disconnect (f->hub, id);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/deliveries/taken", ChatFixture, NULL, set_up, test_taken, chat_fixture_tear_down);
  g_test_add ("/deliveries/retried", ChatFixture, NULL, set_up, test_retried, chat_fixture_tear_down);
  g_test_add ("/deliveries/kept", ChatFixture, NULL, set_up, test_kept, chat_fixture_tear_down);
  g_test_add ("/deliveries/bound", ChatFixture, NULL, set_up, test_bound, chat_fixture_tear_down);
  g_test_add ("/deliveries/others", ChatFixture, NULL, set_up, test_others, chat_fixture_tear_down);
  ADD ("/deliveries/without", test_without);
  return g_test_run ();
}
