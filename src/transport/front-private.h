/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What front.c, which has the thread, and front-connection.c, which has what happens in it, know of each other. */
#include "transport/front.h"
#include "transport/http.h"

G_BEGIN_DECLS

typedef enum
{
  CONNECTION_HEAD,     /* its head has not come */
  CONNECTION_CHECKING, /* its token is looked up */
  CONNECTION_SERVING,  /* libsoup has it */
  CONNECTION_DRAINING, /* it is refused: what it still sends is read, lest the response is lost in a reset */
  CONNECTION_GONE      /* it is closed, and a look-up that is under way will free it */
} HarkFrontConnectionState;

typedef struct
{
  HarkFront *front;
  GList link; /* in front->connections */
  HarkFrontConnectionState state;
  int fd; /* (owned) */
  gint64 since;
  gsize scanned;
  gsize drained;
  HarkAddressLease *lease; /* (owned) (nullable) */
  HarkIdentity *identity;  /* (owned) (nullable) */
  HarkHandshake handshake;
  char address[HARK_ADDRESS_LEN];
} HarkFrontConnection;

struct _HarkFront
{
  GObject parent_instance;
  HarkFrontLimits limits;
  const HarkRoute *routes;
  guint n_routes;
  GStrv allowed_hosts;
  GStrv allowed_origins;
  gboolean deflate;
  gboolean allow_late_authentication;
  gboolean expose_metrics;

  HarkListener *listener;           /* (owned) */
  HarkAuthenticator *authenticator; /* (owned) (nullable) */
  HarkMetrics *metrics;             /* (owned) */
  HarkAddressTable *addresses;      /* (owned) */
  HarkUpgradeQueue *upgrades;       /* (owned) */
  GThread *thread;
  GMainContext *context; /* (owned): the thread's */
  gint ready;            /* atomic */

  /* The thread's own. */
  GMainLoop *loop;
  HarkHttp *http;
  GCancellable *cancellable;
  GSource *timer;
  GQueue connections; /* (element-type HarkFrontConnection), the oldest first */
  guint n_checks;     /* look-ups under way */
  gboolean stopping;
  int epoll;
  char *buffer; /* limits.max_head bytes */
  HarkRequestHead head;
  gint64 date_time;
  char date[40];

  HarkGauge *waiting;
  HarkCounter *upgraded;
  HarkCounter *requests;
  HarkCounter *refused;
  HarkCounter *unauthenticated;
  HarkCounter *head_too_large;
  HarkCounter *body_too_large;
  HarkCounter *timed_out;
  HarkCounter *crowded_out;
  HarkCounter *address_refused;
  HarkCounter *overloaded;
  HarkHistogram *duration;
};

extern const HarkHttpFuncs hark_front_connection_http_funcs;

void hark_front_connection_new (HarkFront *front, int fd, const struct sockaddr *address, HarkAddressLease *lease);
void hark_front_connection_end (HarkFrontConnection *self);
void hark_front_connection_expire (HarkFrontConnection *self);
void hark_front_connection_dispatch (HarkFrontConnection *self, gboolean ended);

void hark_front_update_timer (HarkFront *self);
void hark_front_quit_if_done (HarkFront *self);

G_END_DECLS
