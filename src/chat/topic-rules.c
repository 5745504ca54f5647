/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rules about free topics. A rule is text of three words: a pattern, who may subscribe, who may publish. The first
 * whose pattern matches decides, and what none matches is for administrators alone. They may do everything anyway.
 *
 * A pattern begins with app/ or room/; of its segments `*` stands for any one, `$user` for one that is the id of a
 * user, and `**` at the end for one or more. Who is a list with commas: everyone (who has an account), anonymous
 * (everybody), own (of the user whom `$user` names), backend, user:NAME, role:ID, or nobody.
 */
#include "chat/topic-rules.h"

#include "base/error.h"
#include "base/ids.h"
#include "chat/fields.h"

#include <string.h>

#define MAX_WHO 100

typedef enum
{
  WHO_EVERYONE,
  WHO_ANONYMOUS,
  WHO_OWN,
  WHO_BACKEND,
  WHO_USER,
  WHO_ROLE
} WhoKind;

typedef struct
{
  WhoKind kind;
  gint64 role_id;
  char *username; /* (owned) (nullable) */
} Who;

typedef struct
{
  GStrv segments; /* (owned) */
  GArray *who[2]; /* (owned) (element-type Who): by HarkTopicAction */
} Rule;

struct _HarkTopicRules
{
  GPtrArray *rules; /* (element-type Rule) (owned) */
};

static void
who_clear (gpointer data)
{
  g_free (((Who *)data)->username);
}

static void
rule_free (gpointer data)
{
  Rule *rule = data;
  g_strfreev (rule->segments);
  for (guint i = 0; i < G_N_ELEMENTS (rule->who); i++)
    g_clear_pointer (&rule->who[i], g_array_unref);
  g_free (rule);
}

static gboolean
fail (const char *text, const char *what, GError **error)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\": %s", text, what);
  return FALSE;
}

/* Parsing. */

static gboolean
parse_pattern (Rule *rule, const char *text, GError **error)
{
  guint n_users = 0, n;
  if (strlen (text) > HARK_TOPIC_MAX)
    return fail (text, "the pattern is longer than a topic can be", error);
  rule->segments = g_strsplit (text, "/", -1);
  n = g_strv_length (rule->segments);
  if (n < 2 || (!g_str_equal (rule->segments[0], "app") && !g_str_equal (rule->segments[0], "room")))
    return fail (text, "a pattern begins with app/ or room/", error);
  for (guint i = 1; i < n; i++)
    {
      const char *segment = rule->segments[i];
      n_users += g_str_equal (segment, "$user");
      if (*segment == '\0')
        return fail (text, "a segment of the pattern is empty", error);
      if (g_str_equal (segment, "**") && i < n - 1)
        return fail (text, "** can stand at the end only", error);
      if (strchr (segment, '*') != NULL && !g_str_equal (segment, "*") && !g_str_equal (segment, "**"))
        return fail (text, "* stands for a whole segment", error);
    }
  return n_users <= 1 || fail (text, "$user can stand there once", error);
}

static gboolean
has_user (const Rule *rule)
{
  return g_strv_contains ((const char *const *)rule->segments, "$user");
}

static gboolean
parse_one (Rule *rule, GArray *list, const char *word, GError **error)
{
  static const struct
  {
    const char *word;
    WhoKind kind;
  } words[] = {
    { "everyone", WHO_EVERYONE },
    { "anonymous", WHO_ANONYMOUS },
    { "own", WHO_OWN },
    { "backend", WHO_BACKEND },
  };
  Who who = { WHO_EVERYONE, 0, NULL };
  if (g_str_equal (word, "own") && !has_user (rule))
    return fail (word, "the pattern has no $user", error);
  if (g_str_has_prefix (word, "role:"))
    {
      const char *id = word + strlen ("role:");
      who.kind = WHO_ROLE;
      if (!hark_id_parse (id, strlen (id), &who.role_id))
        return fail (word, "a role is named by its id", error);
    }
  else if (g_str_has_prefix (word, "user:") && word[strlen ("user:")] != '\0')
    {
      who.kind = WHO_USER;
      who.username = g_ascii_strdown (word + strlen ("user:"), -1);
    }
  else
    {
      guint i = 0;
      while (i < G_N_ELEMENTS (words) && !g_str_equal (words[i].word, word))
        i++;
      if (i == G_N_ELEMENTS (words))
        return fail (word, "it must be nobody, everyone, anonymous, own, backend, user:NAME or role:ID", error);
      who.kind = words[i].kind;
    }
  g_array_append_val (list, who);
  return TRUE;
}

static GArray *
parse_who (Rule *rule, const char *text, GError **error)
{
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (Who));
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  g_array_set_clear_func (list, who_clear);
  if (g_str_equal (text, "nobody"))
    return g_steal_pointer (&list);
  if (g_strv_length (words) > MAX_WHO)
    {
      fail (text, "that is too many", error);
      return NULL;
    }
  for (guint i = 0; words[i] != NULL; i++)
    if (!parse_one (rule, list, words[i], error))
      return NULL;
  return g_steal_pointer (&list);
}

static Rule *
parse_rule (const char *text, GError **error)
{
  g_auto (GStrv) split = g_strsplit_set (text, " \t", -1);
  const char *words[3] = { NULL };
  Rule *rule;
  guint n = 0;
  for (guint i = 0; split[i] != NULL; i++)
    if (*split[i] != '\0' && n++ < G_N_ELEMENTS (words))
      words[n - 1] = split[i];
  if (n != G_N_ELEMENTS (words))
    {
      fail (text, "a rule is a pattern, who may subscribe and who may publish, with spaces between", error);
      return NULL;
    }
  rule = g_new0 (Rule, 1);
  if (parse_pattern (rule, words[0], error))
    for (guint i = 0; i < G_N_ELEMENTS (rule->who); i++)
      {
        rule->who[i] = parse_who (rule, words[i + 1], error);
        if (rule->who[i] == NULL)
          break;
      }
  if (rule->who[G_N_ELEMENTS (rule->who) - 1] != NULL)
    return rule;
  rule_free (rule);
  return NULL;
}

gboolean
hark_topic_rule_parse_check (const char *text, GError **error)
{
  Rule *rule = parse_rule (text, error);
  gboolean is_rule = rule != NULL;
  g_clear_pointer (&rule, rule_free);
  return is_rule;
}

/**
 * hark_topic_rules_new:
 * @texts: in the order in which they are tried
 *
 * Returns: (transfer full) (nullable): %HARK_ERROR_BAD_REQUEST for what is no rule, %HARK_ERROR_TOO_LARGE
 */
HarkTopicRules *
hark_topic_rules_new (const char *const *texts, GError **error)
{
  g_autoptr (HarkTopicRules) self = g_new0 (HarkTopicRules, 1);
  self->rules = g_ptr_array_new_with_free_func (rule_free);
  for (guint i = 0; texts[i] != NULL; i++)
    {
      Rule *rule = parse_rule (texts[i], error);
      if (rule == NULL)
        return NULL;
      g_ptr_array_add (self->rules, rule);
    }
  if (self->rules->len <= HARK_TOPIC_RULES_MAX)
    return g_steal_pointer (&self);
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "there can be %d rules about topics", HARK_TOPIC_RULES_MAX);
  return NULL;
}

void
hark_topic_rules_free (HarkTopicRules *self)
{
  g_ptr_array_unref (self->rules);
  g_free (self);
}

/* Matching. */

/* @named: (out): the user whom the topic names; 0: none */
static gboolean
matches (const Rule *rule, GStrv topic, gint64 *named)
{
  guint i = 0;
  *named = 0;
  for (; rule->segments[i] != NULL && topic[i] != NULL; i++)
    {
      const char *segment = rule->segments[i];
      if (g_str_equal (segment, "**"))
        return TRUE;
      if (g_str_equal (segment, "$user"))
        {
          if (!hark_id_parse (topic[i], strlen (topic[i]), named))
            return FALSE;
        }
      else if (!g_str_equal (segment, "*") && !g_str_equal (segment, topic[i]))
        {
          return FALSE;
        }
    }
  return rule->segments[i] == NULL && topic[i] == NULL;
}

static gboolean
is_one (const Who *who, HarkTransaction *tx, const HarkAsker *asker, gint64 named, gboolean *is, GError **error)
{
  gboolean has_account = (asker->flags & HARK_IDENTITY_ANONYMOUS) == 0 && asker->user_id != 0;
  gint64 one;
  *is = FALSE;
  switch (who->kind)
    {
    case WHO_ANONYMOUS:
      *is = TRUE;
      return TRUE;
    case WHO_EVERYONE:
      *is = has_account;
      return TRUE;
    case WHO_OWN:
      *is = has_account && named == asker->user_id;
      return TRUE;
    case WHO_BACKEND:
      *is = (asker->flags & HARK_IDENTITY_BACKEND) != 0;
      return TRUE;
    case WHO_USER:
      return !has_account
             || hark_transaction_query_int64 (tx, &one, is, error,
                                              "SELECT 1 FROM users WHERE user_id = ? AND username = ?", "it",
                                              asker->user_id, who->username);
    case WHO_ROLE:
    default: /* everybody's role has the server's id, and its members no row */
      return !has_account
             || hark_transaction_query_int64 (tx, &one, is, error,
                                              "SELECT 1 FROM member_roles WHERE user_id = ?1 AND role_id = ?2 UNION ALL"
                                              " SELECT 1 FROM members WHERE user_id = ?1 AND server_id = ?2 LIMIT 1",
                                              "ii", asker->user_id, who->role_id);
    }
}

/* Whether what a rule says can change while the daemon runs. */
gboolean
hark_topic_rules_ask_roles (const HarkTopicRules *self)
{
  for (guint i = 0; i < self->rules->len; i++)
    {
      const Rule *rule = self->rules->pdata[i];
      for (guint j = 0; j < rule->who[HARK_TOPIC_SUBSCRIBE]->len; j++)
        if (g_array_index (rule->who[HARK_TOPIC_SUBSCRIBE], Who, j).kind == WHO_ROLE)
          return TRUE;
    }
  return FALSE;
}

/**
 * hark_topic_rules_check:
 * @topic: of the kind ROOM or APP
 * @may: (out)
 *
 * Returns: %FALSE only when the store cannot say
 */
gboolean
hark_topic_rules_check (const HarkTopicRules *self, HarkTransaction *tx, const HarkTopic *topic, HarkTopicAction action,
                        const HarkAsker *asker, gboolean *may, GError **error)
{
  char text[HARK_TOPIC_MAX + 1];
  g_auto (GStrv) segments = NULL;
  *may = FALSE;
  if (hark_topic_is_reserved (topic))
    return TRUE;
  *may = (asker->flags & HARK_IDENTITY_ADMIN) != 0;
  if (*may)
    return TRUE;
  segments = g_strsplit (hark_topic_format (topic, text), "/", -1);
  for (guint i = 0; i < self->rules->len; i++)
    {
      const Rule *rule = self->rules->pdata[i];
      gint64 named;
      if (!matches (rule, segments, &named))
        continue;
      for (guint j = 0; j < rule->who[action]->len && !*may; j++)
        if (!is_one (&g_array_index (rule->who[action], Who, j), tx, asker, named, may, error))
          return FALSE;
      return TRUE;
    }
  return TRUE;
}
