// Where the boxes of a layered drawing stand: Sugiyama's method. Boxes get layers (each box below all that it
// comes after), edges over several layers get a place in each of them, neighbours get an order with few
// crossings, then columns, so that lines are as straight as possible.
//
// Deterministic: the same graph gives the same drawing. Meant for what fits on a screen; the time grows with
// the square of a layer's size.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace baton::cli {

struct LayerGraph {
  std::vector<int> widths;                 // of the boxes, in columns; odd, so that each has a middle column
  std::vector<std::pair<int, int>> edges;  // from, to; no cycles, none twice
};

// A box, or the place where a line passes a layer.
struct LayerPlace {
  int box = -1;  // -1: a line that passes
  int width = 1;
  int layer = 0;
  int middle = 0;          // column; 0 is the left end of the drawing
  std::vector<int> above;  // places
  std::vector<int> below;  // places
};

// Lines between two layers that run together: from each source one leads to every target. Lines that do not
// lead to the same targets never touch, so that a drawing says exactly which box needs which.
struct LineGroup {
  std::vector<int> sources;  // places of the upper layer
  std::vector<int> targets;  // places of the lower layer
  std::vector<int> columns;  // where the line enters each target
  int track = 0;             // the row between the layers in which it runs sideways; 0 is the highest
};

struct Layers {
  std::vector<LayerPlace> places;
  std::vector<std::vector<int>> layers;         // places, from left to right
  std::vector<std::vector<LineGroup>> between;  // between[i]: from layer i to layer i + 1
  std::vector<int> tracks;                      // rows that between[i] takes; 0: all lines are straight
  int width = 0;
};

Layers arrange(const LayerGraph& graph);

}  // namespace baton::cli
