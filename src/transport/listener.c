/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The listening sockets and the loop that accepts. Ours rather than SoupServer's, whose backlog is 10 and which stops
 * for ever when descriptors run out. When they do, one kept in reserve is given up to take the connection and close
 * it: a client that is refused at once can go elsewhere, one left in the backlog cannot, and would wake us for ever.
 */
#include "transport/listener.h"

#include "transport/address-table.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_BACKLOG 4096
/* Connections taken from a socket before the requests of those who are connected already are looked at. */
#define ACCEPT_BUDGET 64
/* How long to wait when there is not even a reserve descriptor. */
#define PAUSE_MS 100

typedef union
{
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
  struct sockaddr_un local;
} Address;

typedef struct
{
  GSource source;
  HarkListener *listener; /* unowned: the listener destroys the source */
  int fd;                 /* (owned) */
  gpointer tag;           /* of fd in the source */
  char *path;             /* (owned) (nullable): a Unix socket's, removed when it is closed */
} Socket;

struct _HarkListener
{
  GObject parent_instance;
  GPtrArray *sockets;   /* (element-type Socket): owns a reference to each source */
  GPtrArray *addresses; /* (element-type utf8) (owned), NULL-terminated */
  GMainContext *context;
  HarkListenerFunc func;
  gpointer data;
  guint backlog; /* connections the kernel holds for us to accept */
  int reserve;   /* (owned): a descriptor for nothing */
  gboolean accepting;
  GSource *pause; /* (owned) (nullable): ends a pause for want of descriptors */
  HarkCounter *accepted;
  HarkCounter *refused;
};

G_DEFINE_FINAL_TYPE (HarkListener, hark_listener, G_TYPE_OBJECT)

static void
update_sockets (HarkListener *self)
{
  GIOCondition condition = self->accepting && self->pause == NULL ? G_IO_IN : 0;
  for (guint i = 0; i < self->sockets->len; i++)
    {
      Socket *socket = self->sockets->pdata[i];
      if (socket->tag != NULL)
        g_source_modify_unix_fd (&socket->source, socket->tag, condition);
    }
}

static void
clear_pause (HarkListener *self)
{
  if (self->pause == NULL)
    return;
  g_source_destroy (self->pause);
  g_clear_pointer (&self->pause, g_source_unref);
}

static gboolean
on_pause_end (gpointer data)
{
  HarkListener *self = data;
  clear_pause (self);
  update_sockets (self);
  return G_SOURCE_REMOVE;
}

static int
open_reserve (void)
{
  return open ("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
start_pause (HarkListener *self)
{
  self->pause = g_timeout_source_new (PAUSE_MS);
  g_source_set_callback (self->pause, on_pause_end, self, NULL);
  g_source_attach (self->pause, self->context);
  update_sockets (self);
}

/* No descriptor is left for a client, if one waits: that is said before the kernel looks.
   Returns: whether there was one, who is gone now */
static gboolean
refuse_for_want (HarkListener *self, Socket *socket)
{
  int error, fd;
  if (self->reserve < 0)
    self->reserve = open_reserve ();
  if (self->reserve < 0)
    {
      start_pause (self);
      return FALSE;
    }
  close (self->reserve);
  fd = accept4 (socket->fd, NULL, NULL, SOCK_CLOEXEC);
  error = errno;
  if (fd >= 0)
    close (fd);
  self->reserve = open_reserve ();
  if (fd >= 0)
    hark_counter_add (self->refused, 1);
  else if (error != EAGAIN)
    start_pause (self);
  return fd >= 0;
}

static gboolean
socket_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  Socket *socket = (Socket *)source;
  g_autoptr (HarkListener) self = g_object_ref (socket->listener);
  for (guint i = 0; i < ACCEPT_BUDGET && self->accepting && self->pause == NULL; i++)
    {
      Address address;
      socklen_t len = sizeof address;
      int fd = accept4 (socket->fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0)
        {
          if (len < sizeof address.any.sa_family)
            address.any.sa_family = AF_UNIX;
          hark_counter_add (self->accepted, 1);
          if (!self->func (fd, &address.any, self->data))
            hark_listener_set_accepting (self, FALSE);
        }
      else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        {
          if (!refuse_for_want (self, socket))
            break;
        }
      else if (errno == EAGAIN)
        break; /* anything else is the matter of the connection that was next, which is gone */
    }
  return G_SOURCE_CONTINUE;
}

static void
socket_finalize (GSource *source)
{
  Socket *socket = (Socket *)source;
  if (socket->path != NULL)
    unlink (socket->path);
  g_free (socket->path);
  close (socket->fd);
}

static GSourceFuncs socket_funcs = { NULL, NULL, socket_dispatch, socket_finalize };

static void
hark_listener_dispose (GObject *object)
{
  HarkListener *self = HARK_LISTENER (object);
  hark_listener_stop (self);
  G_OBJECT_CLASS (hark_listener_parent_class)->dispose (object);
}

static void
hark_listener_finalize (GObject *object)
{
  HarkListener *self = HARK_LISTENER (object);
  g_ptr_array_unref (self->sockets);
  g_ptr_array_unref (self->addresses);
  if (self->reserve >= 0)
    close (self->reserve);
  G_OBJECT_CLASS (hark_listener_parent_class)->finalize (object);
}

static void
hark_listener_class_init (HarkListenerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_listener_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_listener_finalize;
}

static void
destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

static void
hark_listener_init (HarkListener *self)
{
  self->sockets = g_ptr_array_new_with_free_func (destroy_source);
  self->addresses = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->addresses, NULL);
  self->backlog = DEFAULT_BACKLOG;
  self->reserve = open_reserve ();
}

/**
 * hark_listener_new:
 *
 * Sockets are added before it starts. Not locked: after hark_listener_start () it belongs to the context's thread
 * until hark_listener_stop ().
 */
HarkListener *
hark_listener_new (HarkMetrics *metrics)
{
  HarkListener *self = g_object_new (HARK_TYPE_LISTENER, NULL);
  self->accepted = hark_metrics_counter (metrics, "hark_connections_accepted_total", "Connections accepted");
  self->refused = hark_metrics_counter (metrics, "hark_connections_refused_descriptors_total",
                                        "Connections closed at once because descriptors had run out");
  return self;
}

/* Of sockets that are added from now on; one that is passed to us has its own. */
void
hark_listener_set_backlog (HarkListener *self, guint backlog)
{
  self->backlog = backlog;
}

/* @fd: (transfer full); @path: (transfer full) (nullable) */
static gboolean
add_socket (HarkListener *self, int fd, char *path, GError **error)
{
  Socket *socket = (Socket *)g_source_new (&socket_funcs, sizeof (Socket));
  Address address;
  socklen_t len = sizeof address;
  char text[HARK_ADDRESS_LEN];
  g_source_set_static_name (&socket->source, "hark-listener");
  socket->listener = self;
  socket->fd = fd;
  socket->path = path;
  g_ptr_array_add (self->sockets, socket);
  if (getsockname (fd, &address.any, &len) < 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "listen: %s", g_strerror (errno));
      return FALSE;
    }
  if (address.any.sa_family == AF_UNIX)
    {
      gsize path_len = len - G_STRUCT_OFFSET (struct sockaddr_un, sun_path);
      g_autofree char *name = g_strndup (address.local.sun_path, path_len);
      g_ptr_array_insert (self->addresses, self->addresses->len - 1, g_strconcat ("unix:", name, NULL));
      return TRUE;
    }
  hark_address_format (&address.any, text);
  g_ptr_array_insert (self->addresses, self->addresses->len - 1, g_strdup (text));
  return TRUE;
}

static void
set_option (int fd, int level, int option)
{
  int one = 1;
  if (setsockopt (fd, level, option, &one, sizeof one) < 0)
    g_debug ("setsockopt %d: %s", option, g_strerror (errno));
}

/* Binds and listens; @mode: of the file called @name, or -1. Returns: the socket, or -1 */
static int
listen_at (const Address *address, socklen_t len, guint backlog, int mode, const char *name, GError **error)
{
  int fd = socket (address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && address->any.sa_family != AF_UNIX)
    {
      set_option (fd, SOL_SOCKET, SO_REUSEADDR);
      set_option (fd, IPPROTO_TCP, TCP_NODELAY); /* handed down to what it accepts */
    }
  if (fd >= 0 && address->any.sa_family == AF_INET6)
    set_option (fd, IPPROTO_IPV6, IPV6_V6ONLY);
  if (fd >= 0 && bind (fd, &address->any, len) == 0 && (mode < 0 || chmod (name, mode) == 0)
      && listen (fd, backlog) == 0)
    return fd;
  g_set_error (error, HARK_ERROR, errno == EADDRINUSE ? HARK_ERROR_CONFLICT : HARK_ERROR_INTERNAL, "listen: %s: %s",
               name, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

/**
 * hark_listener_add_tcp:
 * @host: an IPv4 or IPv6 address, or "localhost" for 127.0.0.1
 * @port: 0 for one that is free; hark_listener_get_addresses () says which
 *
 * Raises %HARK_ERROR_BAD_REQUEST for what is no address, %HARK_ERROR_CONFLICT when it is taken and
 * %HARK_ERROR_INTERNAL.
 */
gboolean
hark_listener_add_tcp (HarkListener *self, const char *host, guint port, GError **error)
{
  g_autoptr (GInetAddress) inet = NULL;
  g_autoptr (GSocketAddress) socket_address = NULL;
  g_autofree char *name = g_strdup_printf ("%s:%u", host, port);
  Address address;
  gssize len;
  int fd;
  inet = g_inet_address_new_from_string (g_strcmp0 (host, "localhost") == 0 ? "127.0.0.1" : host);
  if (inet == NULL || port > G_MAXUINT16)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "listen: %s is not an address and a port", name);
      return FALSE;
    }
  socket_address = g_inet_socket_address_new (inet, port);
  len = g_socket_address_get_native_size (socket_address);
  if (!g_socket_address_to_native (socket_address, &address, sizeof address, error))
    return FALSE;
  fd = listen_at (&address, len, self->backlog, -1, name, error);
  return fd >= 0 && add_socket (self, fd, NULL, error);
}

/* A socket that nobody listens at any more is left by a daemon that was killed. */
static void
remove_stale (const Address *address, socklen_t len)
{
  struct stat info;
  int fd;
  if (lstat (address->local.sun_path, &info) < 0 || !S_ISSOCK (info.st_mode))
    return;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return;
  if (connect (fd, &address->any, len) < 0 && errno == ECONNREFUSED)
    unlink (address->local.sun_path);
  close (fd);
}

/**
 * hark_listener_add_unix:
 * @mode: of the socket's file
 *
 * Errors as hark_listener_add_tcp ().
 */
gboolean
hark_listener_add_unix (HarkListener *self, const char *path, guint mode, GError **error)
{
  Address address = { .local = { .sun_family = AF_UNIX } };
  int fd;
  if (g_strlcpy (address.local.sun_path, path, sizeof address.local.sun_path) >= sizeof address.local.sun_path
      || *path != '/')
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "listen: %s is not an absolute path of at most %d bytes",
                   path, (int)sizeof address.local.sun_path - 1);
      return FALSE;
    }
  remove_stale (&address, sizeof address.local);
  fd = listen_at (&address, sizeof address.local, self->backlog, mode, path, error);
  return fd >= 0 && add_socket (self, fd, g_strdup (path), error);
}

/* @path: (transfer full) (nullable) */
static gboolean
add_fd (HarkListener *self, int fd, char *path, GError **error)
{
  g_autofree char *owned = path;
  int type = 0;
  int listening = 0;
  socklen_t len = sizeof type;
  if (getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM
      || getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "listen: descriptor %d is not a listening socket", fd);
      return FALSE;
    }
  if (fcntl (fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK) < 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "listen: descriptor %d: %s", fd, g_strerror (errno));
      return FALSE;
    }
  set_option (fd, IPPROTO_TCP, TCP_NODELAY); /* refused by a Unix socket */
  return add_socket (self, fd, g_steal_pointer (&owned), error);
}

/**
 * hark_listener_add_fd:
 * @fd: (transfer full): a listening stream socket of the service manager's
 *
 * Raises %HARK_ERROR_BAD_REQUEST when it is none; it stays the caller's then.
 */
gboolean
hark_listener_add_fd (HarkListener *self, int fd, GError **error)
{
  return add_fd (self, fd, NULL, error);
}

/**
 * hark_listener_hand_over:
 *
 * For a process that takes this one's place: duplicates of the sockets, which are not closed on exec, so that whoever
 * connects meanwhile waits in their backlogs. A Unix socket's file is not removed from now on. May be called while the
 * listener runs, before hark_listener_stop ().
 *
 * Returns: (transfer full): floating: of %HARK_LISTENERS_TYPE, for hark_listener_take_over ()
 */
GVariant *
hark_listener_hand_over (HarkListener *self)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, HARK_LISTENERS_TYPE);
  for (guint i = 0; i < self->sockets->len; i++)
    {
      Socket *socket = self->sockets->pdata[i];
      g_autofree char *path = g_steal_pointer (&socket->path);
      g_variant_builder_add (&builder, "(is)", dup (socket->fd), path != NULL ? path : "");
    }
  return g_variant_builder_end (&builder);
}

/* Takes the sockets that the process before has handed over. Errors as hark_listener_add_fd (). */
gboolean
hark_listener_take_over (HarkListener *self, GVariant *sockets, GError **error)
{
  GVariantIter iter;
  const char *path;
  int fd;
  g_variant_iter_init (&iter, sockets);
  while (g_variant_iter_next (&iter, "(i&s)", &fd, &path))
    if (!add_fd (self, fd, *path != '\0' ? g_strdup (path) : NULL, error))
      return FALSE;
  return TRUE;
}

/* Returns: (transfer none): the addresses in the order they were added: "127.0.0.1:8000", "unix:/run/hark.sock" */
const char *const *
hark_listener_get_addresses (HarkListener *self)
{
  return (const char *const *)self->addresses->pdata;
}

/* Accepts in @context, calling @func for each connection. Once. */
void
hark_listener_start (HarkListener *self, GMainContext *context, HarkListenerFunc func, gpointer data)
{
  g_return_if_fail (self->context == NULL);
  self->context = g_main_context_ref (context);
  self->func = func;
  self->data = data;
  self->accepting = TRUE;
  for (guint i = 0; i < self->sockets->len; i++)
    {
      Socket *socket = self->sockets->pdata[i];
      socket->tag = g_source_add_unix_fd (&socket->source, socket->fd, G_IO_IN);
      g_source_attach (&socket->source, context);
    }
}

/* Whether clients are taken or left to wait in the backlog. */
void
hark_listener_set_accepting (HarkListener *self, gboolean accepting)
{
  if (self->accepting == accepting)
    return;
  self->accepting = accepting;
  update_sockets (self);
}

/* Closes the sockets. In the context's thread. */
void
hark_listener_stop (HarkListener *self)
{
  self->accepting = FALSE;
  clear_pause (self);
  g_ptr_array_set_size (self->sockets, 0);
  g_clear_pointer (&self->context, g_main_context_unref);
}
