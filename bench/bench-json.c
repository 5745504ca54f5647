/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to read one chat message: CPU time per message of taking the same six fields, two of them as strings
 * of their own, from 320 bytes, by HarkJsonObject, json-glib and (when it is there) cJSON. Each is measured several
 * times in turn and the best is shown: whatever else the machine does can only add.
 */
#include "base/json-object.h"
#include "base/json-writer.h"

#include <json-glib/json-glib.h>
#ifdef HAVE_CJSON
#include <cjson/cJSON.h>
#endif

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS 7

/* clang-format off */
static const char message[] =
  "{\"type\":\"message\",\"ref\":12345,\"server\":\"7318349394477056\",\"channel\":\"7318349394477057\","
  "\"message\":\"The quick brown fox jumps over the lazy dog; \\\"quoted\\\", na\xC3\xAFve, and a newline:\\nthen "
  "it goes on, as people do when they have something to say about foxes, dogs and the snow in "
  "November.\",\"id\":1700000000000,\"silent\":false}";
/* clang-format on */

/* The six fields. */
typedef struct
{
  char *type;
  char *text;
  gint64 server;
  gint64 channel;
  gint64 id;
  gint64 ref;
} Fields;

static void
fields_clear (Fields *fields)
{
  g_free (fields->type);
  g_free (fields->text);
}

static void
read_hark (Fields *fields)
{
  HarkJsonObject object;
  gboolean ok = hark_json_object_parse (&object, message, strlen (message), NULL)
                && hark_json_object_get_string (&object, "type", HARK_FIELD_REQUIRED, 64, &fields->type, NULL)
                && hark_json_object_get_string (&object, "message", HARK_FIELD_REQUIRED, 4096, &fields->text, NULL)
                && hark_json_object_get_id (&object, "server", HARK_FIELD_REQUIRED, &fields->server, NULL)
                && hark_json_object_get_id (&object, "channel", HARK_FIELD_REQUIRED, &fields->channel, NULL)
                && hark_json_object_get_int (&object, "id", HARK_FIELD_REQUIRED, 0, G_MAXINT64, &fields->id, NULL)
                && hark_json_object_get_int (&object, "ref", HARK_FIELD_REQUIRED, 0, G_MAXINT64, &fields->ref, NULL);
  g_assert_true (ok);
}

static void
read_json_glib (Fields *fields)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object;
  gboolean ok = json_parser_load_from_data (parser, message, strlen (message), NULL);
  g_assert_true (ok);
  object = json_node_get_object (json_parser_get_root (parser));
  fields->type = g_strdup (json_object_get_string_member (object, "type"));
  fields->text = g_strdup (json_object_get_string_member (object, "message"));
  fields->server = g_ascii_strtoll (json_object_get_string_member (object, "server"), NULL, 10);
  fields->channel = g_ascii_strtoll (json_object_get_string_member (object, "channel"), NULL, 10);
  fields->id = json_object_get_int_member (object, "id");
  fields->ref = json_object_get_int_member (object, "ref");
}

#ifdef HAVE_CJSON
static void
read_cjson (Fields *fields)
{
  cJSON *object = cJSON_ParseWithLength (message, strlen (message));
  g_assert_nonnull (object);
  fields->type = g_strdup (cJSON_GetStringValue (cJSON_GetObjectItemCaseSensitive (object, "type")));
  fields->text = g_strdup (cJSON_GetStringValue (cJSON_GetObjectItemCaseSensitive (object, "message")));
  fields->server
    = g_ascii_strtoll (cJSON_GetStringValue (cJSON_GetObjectItemCaseSensitive (object, "server")), NULL, 10);
  fields->channel
    = g_ascii_strtoll (cJSON_GetStringValue (cJSON_GetObjectItemCaseSensitive (object, "channel")), NULL, 10);
  fields->id = (gint64)cJSON_GetNumberValue (cJSON_GetObjectItemCaseSensitive (object, "id"));
  fields->ref = (gint64)cJSON_GetNumberValue (cJSON_GetObjectItemCaseSensitive (object, "ref"));
  cJSON_Delete (object);
}
#endif

typedef struct
{
  const char *name;
  void (*read) (Fields *fields);
  guint count; /* messages a round */
  double best; /* ns per message */
} Reader;

static double
cpu_ns (void)
{
  struct timespec now;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static void
measure (Reader *reader)
{
  double start = cpu_ns ();
  double taken;
  for (guint i = 0; i < reader->count; i++)
    {
      Fields fields = { 0 };
      reader->read (&fields);
      fields_clear (&fields);
    }
  taken = (cpu_ns () - start) / reader->count;
  if (reader->best == 0 || taken < reader->best)
    reader->best = taken;
}

static void
check (const Reader *reader, const Fields *expected)
{
  Fields fields = { 0 };
  reader->read (&fields);
  g_assert_cmpstr (fields.type, ==, expected->type);
  g_assert_cmpstr (fields.text, ==, expected->text);
  g_assert_cmpint (fields.server, ==, expected->server);
  g_assert_cmpint (fields.channel, ==, expected->channel);
  g_assert_cmpint (fields.id, ==, expected->id);
  g_assert_cmpint (fields.ref, ==, expected->ref);
  fields_clear (&fields);
}

/* The event of the same message, as it goes out to the channel. Returns: ns per message */
static double
measure_writer (const Fields *fields, guint count)
{
  g_auto (HarkJsonWriter) w = { 0 };
  double start;
  double taken;
  gsize sum = 0;
  hark_json_writer_init (&w, 14);
  start = cpu_ns ();
  for (guint i = 0; i < count; i++)
    {
      gsize len;
      hark_json_writer_reset (&w);
      hark_json_writer_begin_object (&w);
      hark_json_writer_member_string (&w, "type", fields->type);
      hark_json_writer_member_id (&w, "message_id", fields->channel + i);
      hark_json_writer_member_int (&w, "seq", i);
      hark_json_writer_member_string (&w, "message", fields->text);
      hark_json_writer_member_string (&w, "author", "Ann");
      hark_json_writer_member_id (&w, "server", fields->server);
      hark_json_writer_member_id (&w, "channel", fields->channel);
      hark_json_writer_member_int (&w, "id", fields->id);
      hark_json_writer_member_time (&w, "timestamp", fields->id);
      hark_json_writer_end_object (&w);
      hark_json_writer_peek (&w, &len);
      sum += len;
    }
  taken = (cpu_ns () - start) / count;
  g_assert_cmpuint (sum, >, 0);
  return taken;
}

int
main (void)
{
  Reader readers[] = {
    { "HarkJsonObject", read_hark, 400000, 0 },
    { "json-glib", read_json_glib, 40000, 0 },
#ifdef HAVE_CJSON
    { "cJSON", read_cjson, 200000, 0 },
#endif
  };
  Fields expected = { 0 };
  double writing = 0;
  read_hark (&expected);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    check (&readers[i], &expected);
  for (guint round = 0; round < ROUNDS; round++)
    {
      double taken = measure_writer (&expected, 400000);
      writing = writing == 0 ? taken : MIN (writing, taken);
      for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
        measure (&readers[i]);
    }
  printf ("six fields of a chat message of %zu bytes, CPU per message\n", strlen (message));
  printf ("| reader | ns | ratio |\n| --- | --- | --- |\n");
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    printf ("| %s | %.0f | %.1f |\n", readers[i].name, readers[i].best, readers[i].best / readers[0].best);
  printf ("| (HarkJsonWriter: its event of nine members) | %.0f | %.1f |\n", writing, writing / readers[0].best);
  fields_clear (&expected);
  return 0;
}
