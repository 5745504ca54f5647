/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A WebSocket load generator: one thread, epoll, the same messages to Hark and to what it is compared with. It prints
 * one line of JSON on stdout and one for people on stderr, and its exit status says whether everything that was sent
 * arrived, once and in order: 0 it did, 1 it did not or the run broke off, 64 the command line is wrong.
 */
#include "load-protocol.h"
#include "load-scenario.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define EXIT_USAGE 64

static const char USAGE[]
  = "load SCENARIO --port N [option…]\n"
    "\n"
    "Scenarios: fanout, echo, forward, idle, connect, store, presence, resume, restart, polling, waiting, floor; what\n"
    "each measures is in bench/README.md.\n"
    "\n"
    "  --protocol NAME     raw, nchan, socketio, chat or hark [raw]\n"
    "  --label NAME        what the report calls the server [the protocol's name]\n"
    "  --host ADDRESS      [127.0.0.1]\n"
    "  --port N\n"
    "  --cpu N             run on this CPU alone\n"
    "  --pid N             a process of the server, for its CPU time and memory; may be given several times\n"
    "  --tree              and the processes that it has started\n"
    "  --settle-signal N   sent to the server's processes before their memory is read, to collect garbage\n"
    "  --clients N         connections: subscribers, echoing clients, senders or newcomers [100]\n"
    "  --publishers N      [1]\n"
    "  --window N          messages of each publisher in flight [1]\n"
    "  --window-by WHAT    until the publisher has them: own (broadcast) or ack [own]\n"
    "  --idle N            [0]\n"
    "  --watchers N        of what is stored [1]\n"
    "  --rate N            messages a second to store [20000]\n"
    "  --messages N        measure so many, and not a time\n"
    "  --seconds S         measure for so long [3]\n"
    "  --warmup S          [1]\n"
    "  --size N            of a message [200]\n"
    "  --concurrency N     handshakes at a time [32]\n"
    "  --patience S        without anything arriving until what is missing is lost [10]\n"
    "  --accounts FILE     lines of `token user_id`, for hark\n"
    "  --server ID         for hark\n"
    "  --channels ID,ID…   for hark: the first is talked in, the idle ones load the others\n";

enum
{
  OPTION_HELP = 1000,
  OPTION_PROTOCOL,
  OPTION_LABEL,
  OPTION_HOST,
  OPTION_PORT,
  OPTION_CPU,
  OPTION_PID,
  OPTION_TREE,
  OPTION_SETTLE_SIGNAL,
  OPTION_CLIENTS,
  OPTION_PUBLISHERS,
  OPTION_WINDOW,
  OPTION_WINDOW_BY,
  OPTION_IDLE,
  OPTION_WATCHERS,
  OPTION_RATE,
  OPTION_MESSAGES,
  OPTION_SECONDS,
  OPTION_WARMUP,
  OPTION_SIZE,
  OPTION_CONCURRENCY,
  OPTION_PATIENCE,
  OPTION_ACCOUNTS,
  OPTION_SERVER,
  OPTION_CHANNELS
};

static const struct option LONG_OPTIONS[] = {
  { "help", no_argument, NULL, OPTION_HELP },
  { "protocol", required_argument, NULL, OPTION_PROTOCOL },
  { "label", required_argument, NULL, OPTION_LABEL },
  { "host", required_argument, NULL, OPTION_HOST },
  { "port", required_argument, NULL, OPTION_PORT },
  { "cpu", required_argument, NULL, OPTION_CPU },
  { "pid", required_argument, NULL, OPTION_PID },
  { "tree", no_argument, NULL, OPTION_TREE },
  { "settle-signal", required_argument, NULL, OPTION_SETTLE_SIGNAL },
  { "clients", required_argument, NULL, OPTION_CLIENTS },
  { "publishers", required_argument, NULL, OPTION_PUBLISHERS },
  { "window", required_argument, NULL, OPTION_WINDOW },
  { "window-by", required_argument, NULL, OPTION_WINDOW_BY },
  { "idle", required_argument, NULL, OPTION_IDLE },
  { "watchers", required_argument, NULL, OPTION_WATCHERS },
  { "rate", required_argument, NULL, OPTION_RATE },
  { "messages", required_argument, NULL, OPTION_MESSAGES },
  { "seconds", required_argument, NULL, OPTION_SECONDS },
  { "warmup", required_argument, NULL, OPTION_WARMUP },
  { "size", required_argument, NULL, OPTION_SIZE },
  { "concurrency", required_argument, NULL, OPTION_CONCURRENCY },
  { "patience", required_argument, NULL, OPTION_PATIENCE },
  { "accounts", required_argument, NULL, OPTION_ACCOUNTS },
  { "server", required_argument, NULL, OPTION_SERVER },
  { "channels", required_argument, NULL, OPTION_CHANNELS },
  { NULL, 0, NULL, 0 },
};

static const struct
{
  const char *name;
  LoadScenario run;
} SCENARIOS[] = {
  { "fanout", load_scenario_fanout },     { "echo", load_scenario_echo },       { "forward", load_scenario_forward },
  { "idle", load_scenario_idle },         { "connect", load_scenario_connect }, { "store", load_scenario_store },
  { "presence", load_scenario_presence }, { "resume", load_scenario_resume },   { "floor", load_scenario_floor },
  { "polling", load_scenario_polling },   { "waiting", load_scenario_waiting }, { "restart", load_scenario_restart },
};

/* Returns: (nullable): the scenario of that name */
LoadScenario
load_scenario_find (const char *name)
{
  for (size_t i = 0; i < sizeof SCENARIOS / sizeof SCENARIOS[0]; i++)
    if (strcmp (SCENARIOS[i].name, name) == 0)
      return SCENARIOS[i].run;
  return NULL;
}

static void __attribute__ ((noreturn, format (printf, 1, 2))) die (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  fprintf (stderr, "load: ");
  vfprintf (stderr, format, args);
  fprintf (stderr, "\n");
  va_end (args);
  exit (EXIT_USAGE);
}

static double
parse_number (const char *option, const char *text, double min, double max)
{
  char *end;
  double value = strtod (text, &end);
  if (end == text || *end != '\0' || !(value >= min && value <= max))
    die ("--%s %s: not a number from %.0f to %.0f", option, text, min, max);
  return value;
}

static void
read_accounts (LoadOptions *options, const char *path)
{
  FILE *file = fopen (path, "re");
  char token[256];
  char user[256];
  if (file == NULL)
    die ("--accounts %s: %s", path, strerror (errno));
  while (fscanf (file, "%255s %255s", token, user) == 2)
    {
      options->accounts = realloc (options->accounts, (options->n_accounts + 1) * sizeof *options->accounts);
      if (options->accounts == NULL)
        die ("--accounts %s: %s", path, strerror (errno));
      options->accounts[options->n_accounts].token = strdup (token);
      options->accounts[options->n_accounts++].user = strdup (user);
    }
  fclose (file);
  if (options->n_accounts == 0)
    die ("--accounts %s: no `token user_id` in it", path);
}

static void
split_channels (LoadOptions *options, char *list)
{
  for (char *id = strtok (list, ","); id != NULL; id = strtok (NULL, ","))
    {
      if (options->n_channels == LOAD_MAX_CHANNELS)
        die ("--channels: more than %d", LOAD_MAX_CHANNELS);
      options->channels[options->n_channels++] = id;
    }
}

static void
set_option (LoadOptions *options, int option, const char *name, char *value)
{
  switch (option)
    {
    case OPTION_HELP:
      printf ("%s", USAGE);
      exit (EXIT_SUCCESS);
    case OPTION_PROTOCOL:
      options->protocol = value;
      break;
    case OPTION_LABEL:
      options->label = value;
      break;
    case OPTION_HOST:
      options->host = value;
      break;
    case OPTION_PORT:
      options->port = (uint16_t)parse_number (name, value, 1, UINT16_MAX);
      break;
    case OPTION_CPU:
      options->cpu = (int)parse_number (name, value, 0, CPU_SETSIZE - 1);
      break;
    case OPTION_PID:
      if (options->n_pids == LOAD_MAX_PIDS)
        die ("--pid: more than %d", LOAD_MAX_PIDS);
      options->pids[options->n_pids++] = (pid_t)parse_number (name, value, 1, INT32_MAX);
      break;
    case OPTION_TREE:
      options->tree = true;
      break;
    case OPTION_SETTLE_SIGNAL:
      options->settle_signal = (int)parse_number (name, value, 1, SIGRTMAX);
      break;
    case OPTION_CLIENTS:
      options->clients = (uint32_t)parse_number (name, value, 1, 60000);
      break;
    case OPTION_PUBLISHERS:
      options->publishers = (uint32_t)parse_number (name, value, 1, 1000);
      break;
    case OPTION_WINDOW:
      options->window = (uint32_t)parse_number (name, value, 1, 100000);
      break;
    case OPTION_WINDOW_BY:
      options->window_by_ack = strcmp (value, "ack") == 0;
      if (!options->window_by_ack && strcmp (value, "own") != 0)
        die ("--window-by %s: neither own nor ack", value);
      break;
    case OPTION_IDLE:
      options->idle = (uint32_t)parse_number (name, value, 0, 60000);
      break;
    case OPTION_WATCHERS:
      options->watchers = (uint32_t)parse_number (name, value, 0, 1000);
      break;
    case OPTION_RATE:
      options->rate = parse_number (name, value, 1, 1e7);
      break;
    case OPTION_MESSAGES:
      options->messages = (uint64_t)parse_number (name, value, 1, 1e9);
      break;
    case OPTION_SECONDS:
      options->seconds = parse_number (name, value, 0.001, 86400);
      break;
    case OPTION_WARMUP:
      options->warmup = parse_number (name, value, 0, 86400);
      break;
    case OPTION_SIZE:
      options->size = (size_t)parse_number (name, value, LOAD_PAYLOAD_MIN, 60000);
      break;
    case OPTION_CONCURRENCY:
      options->concurrency = (uint32_t)parse_number (name, value, 1, 10000);
      break;
    case OPTION_PATIENCE:
      options->patience = parse_number (name, value, 0.1, 3600);
      break;
    case OPTION_ACCOUNTS:
      read_accounts (options, value);
      break;
    case OPTION_SERVER:
      options->server = value;
      break;
    case OPTION_CHANNELS:
      split_channels (options, value);
      break;
    default:
      exit (EXIT_USAGE);
    }
}

static void
parse_command_line (LoadOptions *options, int argc, char **argv)
{
  int index = 0;
  int option;
  *options = (LoadOptions){
    .protocol = "raw",
    .host = "127.0.0.1",
    .cpu = -1,
    .clients = 100,
    .publishers = 1,
    .window = 1,
    .watchers = 1,
    .rate = 20000,
    .seconds = 3,
    .warmup = 1,
    .size = 200,
    .concurrency = 32,
    .patience = 10,
  };
  while ((option = getopt_long (argc, argv, "", LONG_OPTIONS, &index)) != -1)
    set_option (options, option, LONG_OPTIONS[index].name, optarg);
  if (argc - optind != 1)
    die ("one scenario, please; --help lists them");
  options->scenario = argv[optind];
  if (options->label == NULL)
    options->label = options->protocol;
  if (options->port == 0 && strcmp (options->scenario, "floor") != 0)
    die ("--port is missing");
}

static void
check_accounts (const LoadOptions *options, const LoadProtocol *protocol)
{
  if (!protocol->needs_accounts)
    return;
  if (options->n_accounts == 0)
    die ("--accounts is missing, which --protocol %s needs", protocol->name);
  if (options->server == NULL || options->n_channels == 0)
    die ("--server or --channels is missing, which --protocol %s needs", protocol->name);
}

static void
pin (int cpu)
{
  cpu_set_t set;
  if (cpu < 0)
    return;
  CPU_ZERO (&set);
  CPU_SET ((size_t)cpu, &set);
  if (sched_setaffinity (0, sizeof set, &set) < 0)
    die ("--cpu %d: %s", cpu, strerror (errno));
}

static void
raise_file_limit (void)
{
  struct rlimit limit;
  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}

static void
free_accounts (LoadOptions *options)
{
  for (size_t i = 0; i < options->n_accounts; i++)
    {
      free (options->accounts[i].token);
      free (options->accounts[i].user);
    }
  free (options->accounts);
}

int
main (int argc, char **argv)
{
  LoadOptions options;
  LoadReport report = { "", "" };
  LoadEngine engine;
  const LoadProtocol *protocol;
  LoadScenario scenario;
  bool ok;
  parse_command_line (&options, argc, argv);
  protocol = load_protocol_find (options.protocol);
  if (protocol == NULL)
    die ("--protocol %s: there is none of that name", options.protocol);
  scenario = load_scenario_find (options.scenario);
  if (scenario == NULL)
    die ("%s: there is no scenario of that name", options.scenario);
  check_accounts (&options, protocol);
  pin (options.cpu);
  raise_file_limit ();

  load_report_text (&report, "server", options.label);
  load_report_text (&report, "scenario", options.scenario);
  ok = load_engine_init (&engine, &options, protocol) && scenario (&engine, &report);
  if (engine.failed)
    fprintf (stderr, "load: %s %s: %s\n", options.label, options.scenario, engine.failure);
  else
    load_report_print (&report);
  load_engine_clear (&engine);
  free_accounts (&options);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
