/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a fuzz target without libFuzzer: on every file named, or in a directory named, and with --random N SEED on N
 * mutations of those. So that every build, by whatever compiler, replays the corpus and tries what lies around it. An
 * input that ends the program is written to standard error as hexadecimal bytes first.
 */
#include <gio/gio.h>

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_LIMIT 65536 /* bytes of a mutated input */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The input that is being tried, for the signal handler; it has no other way to know. */
static const guint8 *volatile current;
static volatile gsize current_len;

static void
write_all (const char *text, gsize len)
{
  while (len > 0)
    {
      gssize n = write (STDERR_FILENO, text, len);
      if (n <= 0)
        return;
      text += n;
      len -= n;
    }
}

static void
on_fatal_signal (int number)
{
  static const char hex[] = "0123456789abcdef";
  static const char intro[] = "\nthe input was, in hexadecimal:\n";
  write_all (intro, sizeof intro - 1);
  for (gsize i = 0; i < current_len; i++)
    {
      char digits[2] = { hex[current[i] >> 4], hex[current[i] & 0xF] };
      write_all (digits, sizeof digits);
    }
  write_all ("\n", 1);
  signal (number, SIG_DFL);
  raise (number);
}

static void
run_one (const guint8 *data, gsize len)
{
  /* A block of exactly this size: AddressSanitizer sees a look behind its end. */
  guint8 *copy = g_malloc (MAX (len, 1));
  memcpy (copy, data, len);
  current = copy;
  current_len = len;
  LLVMFuzzerTestOneInput (copy, len);
  current_len = 0;
  g_free (copy);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* Adds the file, or the files in the directory, in the order of their names. */
static gboolean
load (GPtrArray *inputs, const char *path, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_autoptr (GDir) dir = g_dir_open (path, 0, error);
      g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
      const char *name;
      if (dir == NULL)
        return FALSE;
      while ((name = g_dir_read_name (dir)) != NULL)
        g_ptr_array_add (names, g_build_filename (path, name, NULL));
      g_ptr_array_sort (names, compare_names);
      for (guint i = 0; i < names->len; i++)
        {
          if (!load (inputs, names->pdata[i], error))
            return FALSE;
        }
    }
  else
    {
      char *data;
      gsize len;
      if (!g_file_get_contents (path, &data, &len, error))
        return FALSE;
      g_ptr_array_add (inputs, g_bytes_new_take (data, len));
    }
  return TRUE;
}

/* Puts some bytes of another input, or of this one, at a place of it. */
static void
splice (GByteArray *input, GPtrArray *inputs, GRand *rand)
{
  gsize len;
  const guint8 *other = g_bytes_get_data (inputs->pdata[g_rand_int_range (rand, 0, inputs->len)], &len);
  gsize at = g_rand_int_range (rand, 0, input->len + 1);
  gsize from;
  gsize n;
  g_autofree guint8 *tail = NULL;
  gsize tail_len = input->len - at;
  if (len == 0)
    return;
  from = g_rand_int_range (rand, 0, len);
  n = g_rand_int_range (rand, 1, MIN (len - from, 256) + 1);
  if (input->len + n > INPUT_LIMIT)
    return;
  tail = g_memdup2 (input->data + at, tail_len);
  g_byte_array_set_size (input, at);
  g_byte_array_append (input, other + from, n);
  if (tail_len > 0)
    g_byte_array_append (input, tail, tail_len);
}

static void
mutate (GByteArray *input, GPtrArray *inputs, GRand *rand)
{
  static const guint8 telling[] = { 0x00, 0x01, 0x1F, 0x20, '"',  '\\', '0',  '9',  '-',  '{',  '}', '[',
                                    ']',  0x7E, 0x7F, 0x80, 0x8F, 0xBF, 0xC2, 0xE0, 0xED, 0xF4, 0xFF };
  guint kind = g_rand_int_range (rand, 0, 6);
  gsize at = input->len > 0 ? g_rand_int_range (rand, 0, input->len) : 0;
  if (kind == 5 || input->len == 0)
    splice (input, inputs, rand);
  else if (kind == 0)
    input->data[at] ^= 1 << g_rand_int_range (rand, 0, 8);
  else if (kind == 1)
    input->data[at] = g_rand_int_range (rand, 0, 256);
  else if (kind == 2)
    input->data[at] = telling[g_rand_int_range (rand, 0, G_N_ELEMENTS (telling))];
  else if (kind == 3)
    g_byte_array_remove_range (input, at, g_rand_int_range (rand, 1, MIN (input->len - at, 16) + 1));
  else
    g_byte_array_set_size (input, at);
}

static void
run_random (GPtrArray *inputs, guint n, guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GByteArray) input = g_byte_array_new ();
      GBytes *base = inputs->pdata[g_rand_int_range (rand, 0, inputs->len)];
      gsize len;
      const guint8 *data = g_bytes_get_data (base, &len);
      if (len > 0)
        g_byte_array_append (input, data, MIN (len, INPUT_LIMIT));
      for (guint left = g_rand_int_range (rand, 1, 6); left > 0; left--)
        mutate (input, inputs, rand);
      run_one (input->data != NULL ? input->data : (const guint8 *)"", input->len);
    }
}

int
main (int argc, char **argv)
{
  static const int fatal[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP };
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  guint64 n_random = 0;
  guint64 seed = 0;
  for (int i = 1; i < argc; i++)
    {
      g_autoptr (GError) error = NULL;
      if (strcmp (argv[i], "--random") == 0 && i + 2 < argc)
        {
          if (!g_ascii_string_to_unsigned (argv[i + 1], 10, 0, G_MAXUINT32, &n_random, &error)
              || !g_ascii_string_to_unsigned (argv[i + 2], 10, 0, G_MAXUINT32, &seed, &error))
            {
              g_printerr ("--random: %s\n", error->message);
              return 64;
            }
          i += 2;
        }
      else if (!load (inputs, argv[i], &error))
        {
          g_printerr ("%s\n", error->message);
          return 66;
        }
    }
  if (inputs->len == 0)
    {
      g_printerr ("usage: %s FILE|DIRECTORY… [--random N SEED]\n", argv[0]);
      return 64;
    }
  for (guint i = 0; i < G_N_ELEMENTS (fatal); i++)
    signal (fatal[i], on_fatal_signal);
  for (guint i = 0; i < inputs->len; i++)
    {
      gsize len;
      const guint8 *data = g_bytes_get_data (inputs->pdata[i], &len);
      run_one (len > 0 ? data : (const guint8 *)"", len);
    }
  run_random (inputs, n_random, seed);
  g_print ("%u inputs, %" G_GUINT64_FORMAT " mutations of them\n", inputs->len, n_random);
  return 0;
}
