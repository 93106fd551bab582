// All of the C++ SDK. docs/guide/cpp.md is where to begin.
#pragma once

#include <baton/client.hpp>
#include <baton/handler.hpp>
#include <baton/json.hpp>
#include <baton/orchestrator.hpp>
#include <baton/result.hpp>
#include <baton/worker.hpp>
#include <baton/workflow.hpp>
