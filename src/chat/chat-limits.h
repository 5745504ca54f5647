/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/passwords.h"

G_BEGIN_DECLS

/**
 * HarkChatLimits:
 *
 * What clients can make the chat keep, and how long it is kept. Start from hark_chat_limits_init ().
 */
typedef struct
{
  guint message_chars;      /* characters of a message */
  guint mentions;           /* of a message */
  guint unread_pending;     /* channels, servers and users whose unread numbers are still to be told */
  guint unread_interval_ms; /* in which changes of unread numbers are told together */
  guint name_chars;         /* of the name of a server, channel, category or token */
  guint displayname_chars;
  guint bio_chars;
  guint activity_chars;
  guint picture_bytes;    /* of the address of a picture */
  guint servers_per_user; /* of which one is a member */
  guint channels_per_server;
  guint members_per_server;
  guint roles_per_server;
  guint grants_per_channel;
  guint tokens_per_user; /* neither expired nor revoked */
  guint ids_per_forget;
  guint emoji_chars;          /* of a reaction */
  guint emojis_per_message;   /* different ones */
  guint reactions_per_user;   /* of one message */
  guint query_chars;          /* of a search */
  guint typing_ms;            /* between two announcements of one user in one channel */
  guint typing_max;           /* users and channels of which that is remembered */
  guint token_cache;          /* identities remembered */
  guint authenticate_ms;      /* for saying who one is */
  HarkPasswordCost password;  /* what its hashes cost */
  guint password_chars;       /* at least */
  gint64 login_lifetime_ms;   /* the longest that a token lives which a password has made */
  guint attempts_per_user;    /* wrong passwords within attempts_window_ms; 0: no bound */
  guint attempts_per_address; /* the same of one address, for any users */
  gint64 attempts_window_ms;
  guint attempts_max;              /* users, and addresses, of which that is remembered */
  gboolean registration;           /* users may make their own accounts */
  guint registrations_per_address; /* within registrations_window_ms; 0: no bound */
  gint64 registrations_window_ms;
  gboolean refresh;             /* a session whose token runs out may ask for another */
  guint expiry_warning_ms;      /* before that it is told; 0: never */
  guint heartbeat_ms;           /* told in the welcome; 0: none */
  gint64 resume_window_ms;      /* after its end, a session can be resumed */
  guint kept_sessions_per_user; /* that have ended and can be resumed */
  guint resume_events;          /* missed events of one topic that are replayed */
  guint resume_bytes;           /* of all missed events together */
  gint64 log_age_ms;            /* 0: no bound */
  gint64 log_events;            /* 0: no bound */
  guint invitations_per_user;   /* that wait for an answer: from one user, and to one */
  gint64 invitation_age_ms;     /* after which one cannot be accepted any more */
  guint invitation_interval_ms; /* between two of a kind from one user to another */
  guint invitation_intervals;   /* pairs of users remembered for that */
  guint notifications_per_user; /* not acknowledged; the oldest gives way */
  guint notification_chars;     /* of its message and of what was said */
  guint notification_page;      /* sent on connecting */
  /* What back ends may say has happened, and to what; and what is told without a back end. Copied. */
  const char *const *notification_actions;
  const char *const *notification_affected;
  const char *const *notification_raised;
  gboolean webhook;       /* a back end is to be told what clients say to it */
  guint webhook_queue;    /* how many of them */
  guint webhook_attempts; /* after which one is given up */
  guint rooms;            /* that somebody is in */
  guint members_per_room;
  guint rooms_per_session;
  guint room_name_chars;
  guint room_data_bytes;               /* of what is said in one */
  const char *const *topic_rules;      /* see HarkTopicRules; copied */
  const struct _HarkTopicRules *rules; /* what the chat has made of them */
} HarkChatLimits;

void hark_chat_limits_init (HarkChatLimits *self);

G_END_DECLS
