/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What front.c, which has the thread, and front-connection.c, which has what happens in it, know of each other. */
#include "transport/engine-request.h"
#include "transport/front.h"
#include "transport/http.h"

G_BEGIN_DECLS

typedef enum
{
  CONNECTION_HEAD,     /* its head has not come */
  CONNECTION_CHECKING, /* its token is looked up */
  CONNECTION_SERVING,  /* libsoup has it */
  CONNECTION_BODY,     /* of Engine.IO: its body comes */
  CONNECTION_ASKING,   /* of Engine.IO: the hub has its request; for as long as a poll may take */
  CONNECTION_WRITING,  /* of Engine.IO: its answer is more than the kernel takes at once */
  CONNECTION_DRAINING, /* it is refused: what it still sends is read, lest the response is lost in a reset */
  CONNECTION_GONE      /* it is closed, and a look-up that is under way will free it */
} HarkFrontConnectionState;

typedef struct
{
  HarkFront *front;
  GList link;    /* in @queue */
  GQueue *queue; /* front->connections or front->polls */
  HarkFrontConnectionState state;
  int fd; /* (owned) */
  gint64 since;
  gsize scanned;
  gsize drained;
  HarkAddressLease *lease;   /* (owned) (nullable) */
  HarkDeflateLease *deflate; /* (owned) (nullable): with @handshake.extensions */
  HarkIdentity *identity;    /* (owned) (nullable) */
  HarkHandshake handshake;
  HarkEngineRequest *request; /* (owned) (nullable): not yet answered */
  guint8 *body;               /* (owned) (nullable): of the request, while it comes */
  gsize body_len;
  gsize body_got;
  GByteArray *out; /* (owned) (nullable): what is left to write */
  gsize out_sent;
  char *cors;             /* (owned) (nullable): header lines of the answer */
  guint keep : 1;         /* another request may follow */
  guint kept : 1;         /* it has served one */
  guint begun : 1;        /* the next has begun to come */
  guint without_body : 1; /* the answer to HEAD */
  guint unread : 1;       /* there may be bytes in the socket whose edge was seen */
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
  HarkDeflateBudget *deflate; /* (owned) (nullable): %NULL: nobody compresses */
  gboolean allow_late_authentication;
  gboolean expose_metrics;
  gboolean cors_credentials;
  char *engine_cookie;           /* (owned) (nullable) */
  HarkHandOver *engine_requests; /* (owned) (nullable) */
  gsize engine_max_payload;
  HarkApi *api; /* (owned) (nullable) */

  HarkListener *listener;            /* (owned) */
  HarkAuthenticator *authenticator;  /* (owned) (nullable) */
  HarkMetrics *metrics;              /* (owned) */
  HarkAddressTable *addresses;       /* (owned) */
  HarkAddressTable *engine_sessions; /* (owned): the same, of sessions that poll */
  HarkHandOver *upgrades;            /* (owned): to the hub */
  HarkHandOver *answers;             /* (owned): from the hub */
  HarkUpgradeFunc upgraded_func;     /* the hub's */
  gpointer upgraded_data;
  GThread *thread;
  GMainContext *context; /* (owned): the thread's */
  gint ready;            /* atomic */
  gint draining;         /* atomic */

  /* The thread's own. */
  GMainLoop *loop;
  HarkHttp *http;
  GCancellable *cancellable;
  GSource *timer;
  GQueue connections; /* (element-type HarkFrontConnection), the oldest first */
  GQueue polls;       /* (element-type HarkFrontConnection): who wait for the hub, without a deadline of ours */
  guint n_checks;     /* look-ups under way */
  gboolean stopping;
  int epoll;
  GString *out; /* the head of an answer */
  char *buffer; /* limits.max_head bytes */
  HarkRequestHead head;
  gint64 date_time;
  char date[40];

  HarkGauge *waiting;
  HarkGauge *polling;
  HarkCounter *answered;
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

const HarkRefusal *hark_front_connection_read_handshake (HarkFrontConnection *self, const HarkRoute *route);
void hark_front_connection_new (HarkFront *front, int fd, const struct sockaddr *address, HarkAddressLease *lease);
void hark_front_connection_end (HarkFrontConnection *self);
void hark_front_connection_expire (HarkFrontConnection *self);
void hark_front_connection_dispatch (HarkFrontConnection *self, gboolean ended);
gboolean hark_front_connection_is_kept (HarkFrontConnection *self);
void hark_front_connection_requeue (HarkFrontConnection *self, GQueue *queue);
void hark_front_connection_refuse (HarkFrontConnection *self, const HarkRefusal *refusal, gboolean more_comes);
void hark_front_connection_open (HarkFrontConnection *self);
void hark_front_connection_finish (HarkFrontConnection *self);
gboolean hark_front_connection_watch (HarkFrontConnection *self, int operation, guint32 more_events);

const char *hark_front_get_date (HarkFront *self);
const char *hark_front_get_reason_phrase (guint status);

/* front-engine.c: polls and bodies of Engine.IO. */
void hark_front_engine_take_head (HarkFrontConnection *self, const HarkRoute *route, gsize head_len, gsize len,
                                  gboolean has_body);
void hark_front_engine_dispatch (HarkFrontConnection *self, gboolean ended);
void hark_front_engine_drop (HarkFrontConnection *self);
void hark_front_engine_on_answers (HarkHandOver *answers, gpointer front);

void hark_front_update_timer (HarkFront *self);
void hark_front_quit_if_done (HarkFront *self);

G_END_DECLS
