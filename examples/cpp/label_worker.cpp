// A worker program: it takes the tasks of two functions from a server, until SIGTERM.
//
//   label_worker           finds the server by BATON_URL, BATON_SOCKET or BATON_DATA
#include <baton/worker.hpp>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

struct Image {
  std::string path;
  std::optional<int> size;  // may be missing
};
BATON_JSON(Image, path, size)

struct Labels {
  std::string path;
  std::vector<std::string> labels;
};
BATON_JSON(Labels, path, labels)

// A class with state is a handler as well.
class Labeller {
 public:
  explicit Labeller(std::string model) : model_(std::move(model)) {}
  Labels operator()(baton::Context& ctx, const Image& image) const {
    if (image.path.empty()) throw baton::TaskFailed("an image needs a path").type("no_path").never_retry();
    ctx.log("labelling " + image.path + " with " + model_);
    return {image.path, {"cat", "dog"}};
  }

 private:
  std::string model_;
};

void train(baton::Context& ctx) {
  // Registered before it is made: it is given back whatever happens.
  ctx.register_resource("gpu-1", {"sh", "-c", "echo given back"}).value();
  for (int epoch = 0; epoch < 10; ++epoch) {
    ctx.sleep(std::chrono::milliseconds(20));  // throws Cancelled when the attempt is to end
    ctx.progress(10 * epoch).value();
  }
  ctx.release_resource("gpu-1").value();
}

int main() {
  baton::WorkerOptions options;
  options.threads = 4;
  baton::Worker worker(options);
  worker.handle("images.label", Labeller("resnet")).handle("models.train", train);
  const baton::Status ended = worker.run();
  if (!ended) std::fprintf(stderr, "%s\n", ended.error().message.c_str());
  return ended ? 0 : 1;
}
