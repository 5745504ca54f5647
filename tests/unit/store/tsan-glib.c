/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GLib locks by futex inside a library that ThreadSanitizer has not instrumented, so it sees no order between threads
 * and reports everything a GMutex guards. Only in a build with that sanitizer, the tests' own calls of GMutex and GCond
 * are these instead, made of the pthread ones that it knows.
 */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static gpointer
get (gpointer *where, gsize size, void (*init) (gpointer))
{
  gpointer lock = __atomic_load_n (where, __ATOMIC_ACQUIRE), none = NULL;
  if (lock != NULL)
    return lock;
  lock = calloc (1, size);
  init (lock);
  if (__atomic_compare_exchange_n (where, &none, lock, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return lock;
  free (lock);
  return none;
}

static void
init_mutex (gpointer mutex)
{
  pthread_mutex_init (mutex, NULL);
}

static void
init_cond (gpointer cond)
{
  pthread_condattr_t attr;
  pthread_condattr_init (&attr);
  pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
  pthread_cond_init (cond, &attr);
  pthread_condattr_destroy (&attr);
}

static pthread_mutex_t *
mutex_of (GMutex *mutex)
{
  return get (&mutex->p, sizeof (pthread_mutex_t), init_mutex);
}

static pthread_cond_t *
cond_of (GCond *cond)
{
  return get (&cond->p, sizeof (pthread_cond_t), init_cond);
}

void (g_mutex_init) (GMutex *mutex)
{
  mutex->p = NULL;
}

void (g_mutex_clear) (GMutex *mutex)
{
  free (mutex->p);
  mutex->p = NULL;
}

void (g_mutex_lock) (GMutex *mutex)
{
  pthread_mutex_lock (mutex_of (mutex));
}

void (g_mutex_unlock) (GMutex *mutex)
{
  pthread_mutex_unlock (mutex_of (mutex));
}

void (g_cond_init) (GCond *cond)
{
  cond->p = NULL;
}

void (g_cond_clear) (GCond *cond)
{
  free (cond->p);
  cond->p = NULL;
}

void (g_cond_wait) (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (cond_of (cond), mutex_of (mutex));
}

gboolean (g_cond_wait_until) (GCond *cond, GMutex *mutex, gint64 end)
{
  struct timespec until = { end / G_USEC_PER_SEC, end % G_USEC_PER_SEC * 1000 };
  return pthread_cond_timedwait (cond_of (cond), mutex_of (mutex), &until) != ETIMEDOUT;
}

void (g_cond_signal) (GCond *cond)
{
  pthread_cond_signal (cond_of (cond));
}

void (g_cond_broadcast) (GCond *cond)
{
  pthread_cond_broadcast (cond_of (cond));
}
