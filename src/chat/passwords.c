/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passwords by libsodium's argon2id. Each computation takes as much time and memory as was configured, so their number
 * is bounded: so many run, so many wait, and whoever comes then is told to come again. A name that nobody has is
 * checked against a hash that no password fits, at the same cost: how long an answer takes says nothing.
 */
#include "chat/passwords.h"

#include "base/error.h"

#include <sodium.h>
#include <string.h>

struct _HarkPasswords
{
  HarkPasswordCost cost;
  GMainContext *context; /* (owned): the hub's */
  GThreadPool *pool;     /* (owned) (nullable): %NULL once it was stopped */
  GQueue jobs;           /* (element-type Job) (owned): all that were not answered */
  char *nobodys;         /* (owned): the hash that no password fits */
  HarkGauge *n_under_way;
  HarkCounter *n_computed;
  HarkCounter *n_overloaded;
};

typedef struct
{
  HarkPasswords *passwords; /* unowned: it answers its jobs before it goes */
  GList link;
  GSource *source; /* (owned): dispatched in the hub's thread when it is done */
  char *password;  /* (owned): wiped */
  char *old_hash;  /* (owned) (nullable): to check against; %NULL to make one */
  char *new_hash;  /* (owned) (nullable) */
  gboolean right;
  GError *error; /* (owned) (nullable) */
  HarkPasswordsFunc func;
  gpointer data;
} Job;

static void
job_free (Job *job)
{
  g_source_destroy (job->source);
  g_source_unref (job->source);
  sodium_memzero (job->password, strlen (job->password));
  g_free (job->password);
  g_free (job->old_hash);
  g_free (job->new_hash);
  g_clear_error (&job->error);
  g_free (job);
}

static void
job_answer (Job *job)
{
  HarkPasswords *self = job->passwords;
  g_queue_unlink (&self->jobs, &job->link);
  hark_gauge_set (self->n_under_way, self->jobs.length);
  job->func (job->right, job->new_hash, job->error, job->data);
  job_free (job);
}

static gboolean
on_done (gpointer data)
{
  job_answer (data);
  return G_SOURCE_REMOVE;
}

/* In the job's thread. */

static void
make_hash (Job *job)
{
  const HarkPasswordCost *cost = &job->passwords->cost;
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str (hash, job->password, strlen (job->password), cost->operations, cost->memory) == 0)
    job->new_hash = g_strdup (hash);
  else
    g_set_error (&job->error, HARK_ERROR, HARK_ERROR_OVERLOADED, "there is no memory for the password's hash");
}

static void
compute (gpointer data, gpointer user_data)
{
  Job *job = data;
  HarkPasswords *self = user_data;
  if (job->old_hash == NULL)
    {
      make_hash (job);
      job->right = job->new_hash != NULL;
    }
  else
    {
      job->right = crypto_pwhash_str_verify (job->old_hash, job->password, strlen (job->password)) == 0;
      if (job->right && crypto_pwhash_str_needs_rehash (job->old_hash, self->cost.operations, self->cost.memory) != 0)
        make_hash (job);
      /* It can wait until there is memory for it. */
      if (job->right)
        g_clear_error (&job->error);
    }
  hark_counter_add (self->n_computed, 1);
  g_source_attach (job->source, self->context);
}

/* In the hub's. */

static void
start (HarkPasswords *self, const char *password, const char *hash, HarkPasswordsFunc func, gpointer data)
{
  Job *job = g_new0 (Job, 1);
  job->passwords = self;
  job->link.data = job;
  job->password = g_strdup (password);
  job->old_hash = g_strdup (hash);
  job->func = func;
  job->data = data;
  job->source = g_idle_source_new ();
  g_source_set_priority (job->source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (job->source, "hark-password");
  g_source_set_callback (job->source, on_done, job, NULL);
  if (self->pool == NULL)
    g_set_error (&job->error, HARK_ERROR, HARK_ERROR_OFFLINE, "the hub is going away");
  else if (self->jobs.length >= self->cost.threads + self->cost.queue)
    {
      hark_counter_add (self->n_overloaded, 1);
      g_set_error (&job->error, HARK_ERROR, HARK_ERROR_OVERLOADED, "too many passwords are being checked");
    }
  g_queue_push_tail_link (&self->jobs, &job->link);
  hark_gauge_set (self->n_under_way, self->jobs.length);
  if (job->error != NULL)
    g_source_attach (job->source, self->context);
  else
    g_thread_pool_push (self->pool, job, NULL);
}

/* Has the hash of @password made. */
void
hark_passwords_make (HarkPasswords *self, const char *password, HarkPasswordsFunc func, gpointer data)
{
  start (self, password, NULL, func, data);
}

/**
 * hark_passwords_check:
 * @hash: (nullable): %NULL when there is none: then no password is right, and to find that out costs the same
 */
void
hark_passwords_check (HarkPasswords *self, const char *password, const char *hash, HarkPasswordsFunc func, gpointer data)
{
  start (self, password, hash != NULL ? hash : self->nobodys, func, data);
}

/* A hash of the form that libsodium makes, at the present cost; what stands for salt and hash was not computed. */
static char *
make_nobodys (const HarkPasswordCost *cost)
{
  return g_strdup_printf ("$argon2id$v=19$m=%" G_GSIZE_FORMAT ",t=%u,p=1$"
                          "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                          cost->memory / 1024, cost->operations);
}

/* In the hub's thread. */
HarkPasswords *
hark_passwords_new (HarkMetrics *metrics, const HarkPasswordCost *cost)
{
  HarkPasswords *self = g_new0 (HarkPasswords, 1);
  if (sodium_init () < 0)
    g_error ("libsodium cannot be initialised"); /* cannot be: the kernel has random numbers for it */
  self->cost = *cost;
  self->context = g_main_context_ref_thread_default ();
  self->pool = g_thread_pool_new (compute, self, cost->threads, FALSE, NULL);
  self->nobodys = make_nobodys (cost);
  g_assert (crypto_pwhash_str_needs_rehash (self->nobodys, cost->operations, cost->memory) == 0);
  self->n_under_way
    = hark_metrics_gauge (metrics, "hark_passwords_under_way", "Passwords that are being computed, or wait for that.");
  self->n_computed = hark_metrics_counter (metrics, "hark_passwords_computed_total", "Hashes of passwords computed.");
  self->n_overloaded = hark_metrics_counter (metrics, "hark_passwords_overloaded_total",
                                             "Passwords refused because too many were being computed.");
  return self;
}

/* When the process is about to end: waits for what is being computed, and answers all with an error. */
void
hark_passwords_stop (HarkPasswords *self)
{
  if (self->pool != NULL)
    g_thread_pool_free (self->pool, TRUE, TRUE);
  self->pool = NULL;
  while (self->jobs.length > 0)
    {
      Job *job = self->jobs.head->data;
      job->right = FALSE;
      g_clear_pointer (&job->new_hash, g_free);
      g_clear_error (&job->error);
      g_set_error (&job->error, HARK_ERROR, HARK_ERROR_OFFLINE, "the hub is going away");
      job_answer (job);
    }
}

void
hark_passwords_free (HarkPasswords *self)
{
  hark_passwords_stop (self);
  g_assert (self->jobs.length == 0);
  g_main_context_unref (self->context);
  g_free (self->nobodys);
  g_free (self);
}
