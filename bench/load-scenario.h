/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "load-ledger.h"

/*
 * A scenario opens its connections, warms the server up, measures, and fills @report.
 * Returns: whether everything went as it must; otherwise the engine's failure or the report says what did not
 */
typedef bool (*LoadScenario) (LoadEngine *engine, LoadReport *report);

LoadScenario load_scenario_find (const char *name);

bool load_scenario_fanout (LoadEngine *engine, LoadReport *report);
bool load_scenario_idle (LoadEngine *engine, LoadReport *report);
bool load_scenario_echo (LoadEngine *engine, LoadReport *report);
bool load_scenario_forward (LoadEngine *engine, LoadReport *report);
bool load_scenario_connect (LoadEngine *engine, LoadReport *report);
bool load_scenario_store (LoadEngine *engine, LoadReport *report);
bool load_scenario_polling (LoadEngine *engine, LoadReport *report);
bool load_scenario_waiting (LoadEngine *engine, LoadReport *report);
bool load_scenario_presence (LoadEngine *engine, LoadReport *report);
bool load_scenario_resume (LoadEngine *engine, LoadReport *report);
bool load_scenario_restart (LoadEngine *engine, LoadReport *report);
bool load_scenario_floor (LoadEngine *engine, LoadReport *report);
