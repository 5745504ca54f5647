/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transaction.h"
#include "model/identity.h"

G_BEGIN_DECLS

/* Patterns and names of who in one rule, and rules. */
#define HARK_TOPIC_RULES_MAX 1000

typedef enum
{
  HARK_TOPIC_SUBSCRIBE,
  HARK_TOPIC_PUBLISH
} HarkTopicAction;

/* Who wants to. */
typedef struct
{
  gint64 user_id; /* 0: nobody's, an administrator's on the bus */
  HarkIdentityFlags flags;
} HarkAsker;

/**
 * HarkTopicRules:
 *
 * Who may subscribe to and publish on the free topics, app/… and room/…. Immutable: works in all threads read it.
 */
typedef struct _HarkTopicRules HarkTopicRules;

HarkTopicRules *hark_topic_rules_new (const char *const *texts, GError **error);
void hark_topic_rules_free (HarkTopicRules *self);
gboolean hark_topic_rules_ask_roles (const HarkTopicRules *self);
gboolean hark_topic_rules_check (const HarkTopicRules *self, HarkTransaction *tx, const HarkTopic *topic,
                                 HarkTopicAction action, const HarkAsker *asker, gboolean *may, GError **error);

/* Whether @text is one rule; for who reads a configuration. */
gboolean hark_topic_rule_parse_check (const char *text, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkTopicRules, hark_topic_rules_free)

G_END_DECLS
