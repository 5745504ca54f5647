/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of what harkctl can do: a new command is a row here and a function in its noun's file. */
#include "ctl/commands.h"

#include <glib/gi18n.h>

#define TEXT HARK_CTL_WORD_TEXT
#define NONE HARK_CTL_WORD_NONE
#define USER HARK_CTL_WORD_USER
#define SERVER HARK_CTL_WORD_SERVER
#define CHANNEL HARK_CTL_WORD_CHANNEL
#define ROLE HARK_CTL_WORD_ROLE
#define TOKEN HARK_CTL_WORD_TOKEN
#define SESSION HARK_CTL_WORD_SESSION
#define COMMAND HARK_CTL_WORD_COMMAND

/* Whom something in a Socket.IO namespace is for. */
#define TARGET                                                                                                         \
  { "room", TEXT, "ROOM", N_ ("only sockets in ROOM; a socket is in the room of its id") },                            \
    { "user", USER, "USER", N_ ("only sockets of USER") },                                                             \
  {                                                                                                                    \
    "except", TEXT, "ROOM", N_ ("no sockets in ROOM")                                                                  \
  }

/* clang-format off */
const HarkCtlOption hark_ctl_global_options[] = {
  { "json", NONE, NULL, N_ ("print JSON, for programs to read") },
  { "no-legend", NONE, NULL, N_ ("print tables without their first line") },
  { "session", NONE, NULL, N_ ("speak to the hub on the session bus") },
  { "system", NONE, NULL, N_ ("speak to the hub on the system bus") },
  { "address", TEXT, "ADDRESS", N_ ("speak to the hub on the message bus at ADDRESS") },
  { "help", NONE, NULL, N_ ("show help and do nothing") },
  { "version", NONE, NULL, N_ ("print the version and do nothing") },
  { NULL },
};

const HarkCtlCommand hark_ctl_commands[] = {
  { "status", NULL, N_ ("Show how the hub is"), { { NULL } }, { { NULL } }, hark_ctl_status },

  { "user", "list", N_ ("List users"),
    { { NULL } },
    { { "query", TEXT, "TEXT", N_ ("only those whose name begins with TEXT") } },
    hark_ctl_user_list },
  { "user", "show", N_ ("Show a user"), { { "USER", USER } }, { { NULL } }, hark_ctl_user_show },
  { "user", "add", N_ ("Make a user"),
    { { "USERNAME", TEXT } },
    { { "displayname", TEXT, "NAME", N_ ("the name that others see") },
      { "admin", NONE, NULL, N_ ("the user may administer the hub") },
      { "password-stdin", NONE, NULL, N_ ("read the user's password from standard input") } },
    hark_ctl_user_add },
  { "user", "set-password", N_ ("Set a user's password, read from the terminal or standard input"),
    { { "USER", USER } }, { { NULL } },
    hark_ctl_user_set_password },
  { "user", "set", N_ ("Change a user"),
    { { "USER", USER } },
    { { "username", TEXT, "NAME", N_ ("the name to be called by") },
      { "displayname", TEXT, "NAME", N_ ("the name that others see") },
      { "picture", TEXT, "URL", N_ ("address of a picture") },
      { "bio", TEXT, "TEXT", N_ ("what others read about the user") },
      { "admin", TEXT, "yes|no", N_ ("whether the user may administer the hub") } },
    hark_ctl_user_set },
  { "user", "delete", N_ ("Delete a user and the user's tokens"), { { "USER", USER } }, { { NULL } },
    hark_ctl_user_delete },

  { "token", "list", N_ ("List access tokens"), { { "USER", USER, TRUE } }, { { NULL } }, hark_ctl_token_list },
  { "token", "create", N_ ("Make an access token and print it, once"),
    { { "USER", USER } },
    { { "label", TEXT, "TEXT", N_ ("for whom or what it is") },
      { "expires", TEXT, "TIME", N_ ("how long it is good, as 30d, 12h or 90s; without this, for ever") },
      { "scope", TEXT, "SCOPE", N_ ("backend: a back end's key, which administers nothing") } },
    hark_ctl_token_create },
  { "token", "revoke", N_ ("Revoke an access token"), { { "TOKEN-ID", TOKEN } }, { { NULL } }, hark_ctl_token_revoke },

  { "server", "list", N_ ("List servers"), { { NULL } }, { { NULL } }, hark_ctl_server_list },
  { "server", "add", N_ ("Make a server"),
    { { "NAME", TEXT } },
    { { "owner", USER, "USER", N_ ("who owns it; must be given") },
      { "icon", TEXT, "URL", N_ ("address of a picture") } },
    hark_ctl_server_add },
  { "server", "set", N_ ("Change a server"),
    { { "SERVER", SERVER } },
    { { "name", TEXT, "NAME", N_ ("what it is called") },
      { "icon", TEXT, "URL", N_ ("address of a picture") },
      { "owner", USER, "USER", N_ ("who owns it") } },
    hark_ctl_server_set },
  { "server", "delete", N_ ("Delete a server with its channels and messages"), { { "SERVER", SERVER } }, { { NULL } },
    hark_ctl_server_delete },

  { "member", "list", N_ ("List the members of a server"), { { "SERVER", SERVER } }, { { NULL } },
    hark_ctl_member_list },
  { "member", "add", N_ ("Make a user a member of a server"),
    { { "SERVER", SERVER }, { "USER", USER } }, { { NULL } },
    hark_ctl_member_add },
  { "member", "remove", N_ ("Take a user out of a server"),
    { { "SERVER", SERVER }, { "USER", USER } }, { { NULL } },
    hark_ctl_member_remove },

  { "member", "nick", N_ ("Name a member; without NICK take the name away"),
    { { "SERVER", SERVER }, { "USER", USER }, { "NICK", TEXT, TRUE } }, { { NULL } },
    hark_ctl_member_nick },

  { "role", "list", N_ ("List the roles of a server"), { { "SERVER", SERVER } }, { { NULL } }, hark_ctl_role_list },
  { "role", "add", N_ ("Make a role"),
    { { "SERVER", SERVER }, { "NAME", TEXT } },
    { { "position", TEXT, "NUMBER", N_ ("its rank, from 1; higher is above") },
      { "permissions", TEXT, "LIST", N_ ("what it permits, with commas between; see harkctl(1)") } },
    hark_ctl_role_add },
  { "role", "set", N_ ("Change a role"),
    { { "ROLE", ROLE } },
    { { "name", TEXT, "NAME", N_ ("what it is called") },
      { "position", TEXT, "NUMBER", N_ ("its rank, from 1; higher is above") },
      { "permissions", TEXT, "LIST", N_ ("what it permits, with commas between; see harkctl(1)") } },
    hark_ctl_role_set },
  { "role", "delete", N_ ("Delete a role"), { { "ROLE", ROLE } }, { { NULL } }, hark_ctl_role_delete },
  { "role", "assign", N_ ("Give a member a role"), { { "ROLE", ROLE }, { "USER", USER } }, { { NULL } },
    hark_ctl_role_assign },
  { "role", "unassign", N_ ("Take a role from a member"), { { "ROLE", ROLE }, { "USER", USER } }, { { NULL } },
    hark_ctl_role_unassign },

  { "channel", "list", N_ ("List channels"), { { "SERVER", SERVER, TRUE } }, { { NULL } }, hark_ctl_channel_list },
  { "channel", "add", N_ ("Make a channel in a server"),
    { { "SERVER", SERVER }, { "NAME", TEXT } },
    { { "category", TEXT, "NAME", N_ ("under what it is listed") },
      { "private", NONE, NULL, N_ ("only users it is granted to see it") },
      { "position", TEXT, "NUMBER", N_ ("where it stands among the channels") } },
    hark_ctl_channel_add },
  { "channel", "set", N_ ("Change a channel"),
    { { "CHANNEL", CHANNEL } },
    { { "name", TEXT, "NAME", N_ ("what it is called") },
      { "category", TEXT, "NAME", N_ ("under what it is listed") },
      { "private", TEXT, "yes|no", N_ ("whether only users it is granted to see it") },
      { "position", TEXT, "NUMBER", N_ ("where it stands among the channels") } },
    hark_ctl_channel_set },
  { "channel", "delete", N_ ("Delete a channel with its messages"), { { "CHANNEL", CHANNEL } }, { { NULL } },
    hark_ctl_channel_delete },

  { "grant", "list", N_ ("List whom a private channel is granted to"), { { "CHANNEL", CHANNEL } }, { { NULL } },
    hark_ctl_grant_list },
  { "grant", "add", N_ ("Let a user or a role see a private channel"),
    { { "CHANNEL", CHANNEL }, { "USER", USER, TRUE } }, { { "role", ROLE, "ROLE", N_ ("all who have ROLE") } },
    hark_ctl_grant_add },
  { "grant", "remove", N_ ("Take a grant back"),
    { { "CHANNEL", CHANNEL }, { "USER", USER, TRUE } }, { { "role", ROLE, "ROLE", N_ ("of all who have ROLE") } },
    hark_ctl_grant_remove },

  { "sessions", "list", N_ ("List who is connected"),
    { { NULL } },
    { { "user", USER, "USER", N_ ("only the sessions of USER") } },
    hark_ctl_sessions_list },
  { "sessions", "show", N_ ("Show a session and what it has loaded"), { { "SESSION", SESSION } }, { { NULL } },
    hark_ctl_sessions_show },
  { "sessions", "disconnect", N_ ("End a session, or all sessions of a user"),
    { { "SESSION", SESSION, TRUE } },
    { { "user", USER, "USER", N_ ("all sessions of USER") },
      { "reason", TEXT, "TEXT", N_ ("for the client to read") } },
    hark_ctl_sessions_disconnect },

  { "emit", NULL, N_ ("Emit an event to the clients of a Socket.IO namespace"),
    { { "NAMESPACE", TEXT }, { "EVENT", TEXT } },
    { { "args", TEXT, "JSON", N_ ("its arguments, a list") }, TARGET,
      { "volatile", NONE, NULL, N_ ("it may be lost, and is not stored") } },
    hark_ctl_emit },
  { "sockets", "list", N_ ("List who is connected to a Socket.IO namespace"), { { "NAMESPACE", TEXT } }, { TARGET },
    hark_ctl_sockets_list },
  { "sockets", "join", N_ ("Have sockets join a room"), { { "NAMESPACE", TEXT }, { "ROOM", TEXT } }, { TARGET },
    hark_ctl_sockets_join },
  { "sockets", "leave", N_ ("Have sockets leave a room"), { { "NAMESPACE", TEXT }, { "ROOM", TEXT } }, { TARGET },
    hark_ctl_sockets_leave },
  { "sockets", "disconnect", N_ ("Disconnect sockets from a namespace"),
    { { "NAMESPACE", TEXT } },
    { TARGET, { "close", NONE, NULL, N_ ("end their connections, with all their namespaces") } },
    hark_ctl_sockets_disconnect },

  { "publish", NULL, N_ ("Send an event to all who are subscribed to a topic"),
    { { "TOPIC", TEXT }, { "JSON", TEXT } }, { { NULL } },
    hark_ctl_publish },
  { "notify", NULL, N_ ("Tell a user of something, and print the notification's id"),
    { { "USER", USER }, { "MESSAGE", TEXT } },
    { { "action", TEXT, "ACTION", N_ ("what has happened, as post or reaction; must be given") },
      { "action-id", TEXT, "ID", N_ ("which one") },
      { "by-user", TEXT, "NAME", N_ ("the name of who did it") },
      { "content", TEXT, "TEXT", N_ ("what it consists of") },
      { "affected", TEXT, "KIND", N_ ("what it was done to, as post or comment") },
      { "affected-id", TEXT, "ID", N_ ("which one") } },
    hark_ctl_notify },
  { "monitor", NULL, N_ ("Show what happens, until interrupted"), { { NULL } }, { { NULL } }, hark_ctl_monitor },
  { "metrics", NULL, N_ ("Show the hub's figures"), { { "PREFIX", TEXT, TRUE } }, { { NULL } }, hark_ctl_metrics },
  { "drain", NULL, N_ ("Close all sessions, spread over a time, and let nobody in"),
    { { NULL } },
    { { "over", TEXT, "TIME", N_ ("how long it takes, as 60s or 5m; at once when it is not given") },
      { "no-wait", NONE, NULL, N_ ("do not wait until it is done") },
      { "stop", NONE, NULL, N_ ("let everybody in again") } },
    hark_ctl_drain },
  { "upgrade", NULL, N_ ("Have the hub go on as the program that is installed now, with its connections"), { { NULL } },
    { { NULL } }, hark_ctl_upgrade },
  { "reload", NULL, N_ ("Have the hub read its configuration again"), { { NULL } }, { { NULL } }, hark_ctl_reload },
  { "help", NULL, N_ ("Show help"), { { "NOUN", COMMAND, TRUE }, { "VERB", TEXT, TRUE } }, { { NULL } },
    hark_ctl_help },
};
/* clang-format on */

const guint hark_ctl_n_commands = G_N_ELEMENTS (hark_ctl_commands);

/* Returns: (nullable): the row; for @verb %NULL the first of the noun */
const HarkCtlCommand *
hark_ctl_command_find (const char *noun, const char *verb)
{
  for (guint i = 0; i < hark_ctl_n_commands; i++)
    {
      const HarkCtlCommand *command = &hark_ctl_commands[i];
      if (g_str_equal (command->noun, noun) && (verb == NULL || g_strcmp0 (command->verb, verb) == 0))
        return command;
    }
  return NULL;
}

/* @command: (nullable): its options are looked at besides those that every command has. Returns: (nullable) */
const HarkCtlOption *
hark_ctl_option_find (const HarkCtlCommand *command, const char *name)
{
  for (const HarkCtlOption *option = hark_ctl_global_options; option->name != NULL; option++)
    if (g_str_equal (option->name, name))
      return option;
  for (const HarkCtlOption *option = command != NULL ? command->options : NULL; option != NULL && option->name != NULL;
       option++)
    if (g_str_equal (option->name, name))
      return option;
  return NULL;
}
