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
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

struct _HarkServiceManager
{
  GObject parent_instance;
  HarkClock *clock;
  guint watchdog; /* timeout; 0: nobody watches */
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

#define FIRST_FD SD_LISTEN_FDS_START

#else

static void
notify (const char *state)
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
  G_OBJECT_CLASS (hark_service_manager_parent_class)->dispose (object);
}

static void
hark_service_manager_class_init (HarkServiceManagerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_service_manager_dispose;
}

static void
hark_service_manager_init (HarkServiceManager *self)
{
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
  g_autoptr (GArray) sockets = g_array_new (FALSE, TRUE, sizeof (HarkPassedSocket));
  char **names = NULL;
  int n = take_fds (&names);
  g_array_set_clear_func (sockets, passed_socket_clear);
  if (n < 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "LISTEN_FDS cannot be understood: %s", g_strerror (-n));
      return NULL;
    }
  for (int i = 0; i < n; i++)
    {
      HarkPassedSocket passed = { FIRST_FD + i, g_strdup (names[i]) };
      g_array_append_val (sockets, passed);
      free (names[i]);
    }
  free (names);
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
