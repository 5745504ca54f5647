/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What systemd is told of us and gives us: readiness, status, a sign of life, and sockets. Without a service manager,
 * or built without libsystemd, all of it does nothing. The sign of life comes from the main loop's clock: a loop that
 * hangs sends none, and the service is started again.
 */
#include "daemon/service-manager.h"

#include "base/error.h"

#include <config.h> /* the build's, not the one beside this file */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

/* How long the service manager may take to hear what it was told. */
#define SYNC_TIMEOUT_US (5 * G_USEC_PER_SEC)

struct _HarkServiceManager
{
  GObject parent_instance;
  HarkClock *clock;
  guint watchdog; /* timeout; 0: nobody watches */
  GArray *passed; /* (element-type HarkPassedSocket) (owned) (nullable): sockets that were not taken; %NULL: not looked */
  int passed_error;   /* negative errno; 0: none */
  GHashTable *stored; /* name (owned) → descriptor: from the process before */
};

G_DEFINE_FINAL_TYPE (HarkServiceManager, hark_service_manager, G_TYPE_OBJECT)

#ifdef HAVE_SYSTEMD

static void
notify (const char *state)
{
  int result = sd_notify (FALSE, state);
  if (result < 0)
    g_warning ("The service manager cannot be told \"%s\": %s", state, g_strerror (-result));
}

/* Microseconds within which a sign of life is expected; 0: none is. */
static guint64
get_watchdog (void)
{
  guint64 us = 0;
  return sd_watchdog_enabled (FALSE, &us) > 0 ? us : 0;
}

static int
take_fds (char ***names)
{
  return sd_listen_fds_with_names (TRUE, names);
}

static void
notify_with_fd (const char *state, int fd)
{
  int result = sd_pid_notify_with_fds (0, FALSE, state, &fd, 1);
  if (result < 0)
    g_warning ("The service manager cannot be given a descriptor: %s", g_strerror (-result));
}

static void
synchronize (void)
{
  int result = sd_notify_barrier (FALSE, SYNC_TIMEOUT_US);
  if (result < 0)
    g_warning ("The service manager does not answer: %s", g_strerror (-result));
}

#define FIRST_FD SD_LISTEN_FDS_START

#else

static void
notify (const char *state)
{
}

static void
notify_with_fd (const char *state, int fd)
{
}

static void
synchronize (void)
{
}

static guint64
get_watchdog (void)
{
  return 0;
}

static int
take_fds (char ***names)
{
  *names = NULL;
  return 0;
}

#define FIRST_FD 3

#endif

static void
hark_service_manager_dispose (GObject *object)
{
  HarkServiceManager *self = HARK_SERVICE_MANAGER (object);
  if (self->clock != NULL)
    hark_clock_clear_timeout (self->clock, &self->watchdog);
  g_clear_object (&self->clock);
  g_clear_pointer (&self->passed, g_array_unref);
  G_OBJECT_CLASS (hark_service_manager_parent_class)->dispose (object);
}

/* What the process before has left and nobody took ends here. */
static void
hark_service_manager_finalize (GObject *object)
{
  HarkServiceManager *self = HARK_SERVICE_MANAGER (object);
  GHashTableIter iter;
  gpointer fd;
  g_hash_table_iter_init (&iter, self->stored);
  while (g_hash_table_iter_next (&iter, NULL, &fd))
    close (GPOINTER_TO_INT (fd));
  g_hash_table_unref (self->stored);
  G_OBJECT_CLASS (hark_service_manager_parent_class)->finalize (object);
}

static void
hark_service_manager_class_init (HarkServiceManagerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_service_manager_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_service_manager_finalize;
}

static void
hark_service_manager_init (HarkServiceManager *self)
{
  self->stored = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static gboolean
on_watchdog (gpointer data)
{
  notify ("WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

/**
 * hark_service_manager_new:
 * @clock: runs in the main loop that is to be watched
 *
 * Returns: (transfer full): gives a sign of life, when one is asked for, until it is disposed of
 */
HarkServiceManager *
hark_service_manager_new (HarkClock *clock)
{
  HarkServiceManager *self = g_object_new (HARK_TYPE_SERVICE_MANAGER, NULL);
  guint64 watchdog_us = get_watchdog ();
  self->clock = g_object_ref (clock);
  if (watchdog_us > 0)
    self->watchdog = hark_clock_add_timeout (clock, CLAMP (watchdog_us / 3000, 1, G_MAXINT), on_watchdog, self);
  return self;
}

/* A status is shown to people and is one line. */
static void
notify_status (const char *state, const char *status)
{
  g_autofree char *line = g_strdelimit (g_strdup (status), "\n", ' ');
  g_autofree char *text = g_strdup_printf ("%sSTATUS=%s", state, line);
  notify (text);
}

/* Clients are served: after the start, and after each reload. */
void
hark_service_manager_ready (HarkServiceManager *self, const char *status)
{
  notify_status ("READY=1\n", status);
}

/* What `systemctl status` shows. */
void
hark_service_manager_status (HarkServiceManager *self, const char *status)
{
  notify_status ("", status);
}

/* A reload begins; hark_service_manager_ready () ends it. */
void
hark_service_manager_reloading (HarkServiceManager *self)
{
  g_autofree char *text = g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT "\nSTATUS=Reloading",
                                           hark_clock_get_monotonic (self->clock));
  notify (text);
}

void
hark_service_manager_stopping (HarkServiceManager *self, const char *status)
{
  notify_status ("STOPPING=1\n", status);
}

static void
passed_socket_clear (gpointer data)
{
  HarkPassedSocket *passed = data;
  if (passed->fd >= 0)
    close (passed->fd);
  g_free (passed->name);
}

static gboolean
is_listening (int fd)
{
  int listening = 0;
  int type = 0;
  socklen_t len = sizeof listening;
  return getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening
         && getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

/* Whether a name is one that we give to what is stored. */
static gboolean
is_stored_name (const char *name)
{
  return g_str_equal (name, HARK_STORED_STATE) || g_str_equal (name, HARK_STORED_LOGBOOK)
         || (name[0] == 'c' && name[1] != '\0' && name[1 + strspn (name + 1, G_CSET_DIGITS)] == '\0');
}

/* Once: what was passed is sorted into sockets to listen at and what we had stored ourselves. */
static void
take_passed (HarkServiceManager *self)
{
  char **names = NULL;
  int n;
  if (self->passed != NULL)
    return;
  self->passed = g_array_new (FALSE, TRUE, sizeof (HarkPassedSocket));
  g_array_set_clear_func (self->passed, passed_socket_clear);
  n = take_fds (&names);
  self->passed_error = MIN (n, 0);
  for (int i = 0; i < n; i++)
    {
      HarkPassedSocket passed = { FIRST_FD + i, g_strdup (names[i]) };
      if (is_stored_name (passed.name) && !is_listening (passed.fd))
        g_hash_table_insert (self->stored, g_steal_pointer (&passed.name), GINT_TO_POINTER (passed.fd));
      else
        g_array_append_val (self->passed, passed);
      free (names[i]);
    }
  free (names);
}

/**
 * hark_service_manager_take_sockets:
 *
 * Takes the listening sockets that were passed to this process; the next call finds none. Whoever uses one sets its
 * fd to -1 in the array. Raises %HARK_ERROR_BAD_REQUEST when one is no listening stream socket.
 *
 * Returns: (transfer full) (element-type HarkPassedSocket): empty when there are none; %NULL on error
 */
GArray *
hark_service_manager_take_sockets (HarkServiceManager *self, GError **error)
{
  g_autoptr (GArray) sockets = NULL;
  take_passed (self);
  if (self->passed_error < 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "LISTEN_FDS cannot be understood: %s",
                   g_strerror (-self->passed_error));
      return NULL;
    }
  sockets = g_steal_pointer (&self->passed);
  self->passed = g_array_new (FALSE, TRUE, sizeof (HarkPassedSocket));
  g_array_set_clear_func (self->passed, passed_socket_clear);
  for (guint i = 0; i < sockets->len; i++)
    {
      const HarkPassedSocket *passed = &g_array_index (sockets, HarkPassedSocket, i);
      if (!is_listening (passed->fd))
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                       "The socket \"%s\" from the service manager is no listening stream socket (Accept=yes?)",
                       passed->name);
          return NULL;
        }
    }
  return g_steal_pointer (&sockets);
}

/* Whether somebody listens to what we say, and may keep what we give. */
gboolean
hark_service_manager_is_there (HarkServiceManager *self)
{
  return g_getenv ("NOTIFY_SOCKET") != NULL;
}

/**
 * hark_service_manager_store_fd:
 * @fd: stays the caller's
 * @name: %HARK_STORED_STATE, %HARK_STORED_LOGBOOK, or "c" and digits: short, because the names of all go into one variable of the environment
 *
 * Gives a duplicate of a descriptor to the service manager (sd_notify(3), FDSTORE=1), which gives it to the next process
 * of this service.
 */
void
hark_service_manager_store_fd (HarkServiceManager *self, int fd, const char *name)
{
  g_autofree char *text = g_strdup_printf ("FDSTORE=1\nFDNAME=%s", name);
  notify_with_fd (text, fd);
}

/* The service manager closes its duplicate. */
void
hark_service_manager_remove_stored (HarkServiceManager *self, const char *name)
{
  g_autofree char *text = g_strdup_printf ("FDSTOREREMOVE=1\nFDNAME=%s", name);
  notify (text);
}

/* Waits until the service manager has heard all we said: what it hears of a process that has ended it does not believe. */
void
hark_service_manager_sync (HarkServiceManager *self)
{
  synchronize ();
}

/**
 * hark_service_manager_take_stored:
 *
 * Returns: (transfer full): what the process before has stored under this name; -1 when there is nothing, or it was taken
 */
int
hark_service_manager_take_stored (HarkServiceManager *self, const char *name)
{
  gpointer fd;
  g_autofree char *key = NULL;
  take_passed (self);
  if (!g_hash_table_steal_extended (self->stored, name, (gpointer *)&key, &fd))
    return -1;
  return GPOINTER_TO_INT (fd);
}

/* What the process before has stored and nobody has taken: those connections end. */
void
hark_service_manager_drop_stored (HarkServiceManager *self)
{
  GHashTableIter iter;
  gpointer name, fd;
  take_passed (self);
  g_hash_table_iter_init (&iter, self->stored);
  while (g_hash_table_iter_next (&iter, &name, &fd))
    {
      hark_service_manager_remove_stored (self, name);
      shutdown (GPOINTER_TO_INT (fd), SHUT_RDWR);
      close (GPOINTER_TO_INT (fd));
      g_hash_table_iter_remove (&iter);
    }
}
