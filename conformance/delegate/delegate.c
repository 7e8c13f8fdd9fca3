// A small external delegate for TensorFlow Lite: int8 CONV_2D and FULLY_CONNECTED, right or wrong as its options say.
//
//   rounding  exact (as the reference kernels do), double, single, float64, float32, truncate
//   fault     none, zero_padding (code 0 beyond the border), no_bias, crash
//
// It shows what a conformance run is worth: its exact mode must pass, every other one must be found out.
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "arithmetic.h"

typedef enum { NO_FAULT, ZERO_PADDING, NO_BIAS, CRASH } Fault;

typedef struct {
  Delegate base;
  Rounding rounding;
  Fault fault;
} OwnDelegate;

typedef struct {
  int code;
  IntArray *inputs, *outputs;
  const void* options;
} Step;

// A run of nodes. Tensors between them have no memory of the interpreter's: `scratch` holds it, by tensor index.
typedef struct {
  const OwnDelegate* delegate;
  int count;
  Step* steps;
  size_t tensors;
  void** scratch;
} Kernel;

static const Tensor* optional_input(Context* context, const IntArray* inputs, int index) {
  return index < inputs->size && inputs->data[index] >= 0 ? &context->tensors[inputs->data[index]] : NULL;
}

static void* memory(Context* context, Kernel* kernel, int index) {
  Tensor* tensor = &context->tensors[index];
  if (tensor->data != NULL) return tensor->data;
  if (kernel->scratch[index] == NULL) kernel->scratch[index] = malloc(tensor->bytes);
  return kernel->scratch[index];
}

static double filter_scale(const Tensor* filter, int channel) {
  const AffineQuantization* own = filter->quantization;
  if (filter->quantization_type != QUANTIZATION_AFFINE || own == NULL || own->scale == NULL) return filter->scale;
  return own->scale->data[own->scale->size > 1 ? channel : 0];
}

static int8_t output_code(const Kernel* kernel, Rounding exact, int32_t accumulator, const Tensor* input,
                          const Tensor* filter, const Tensor* output, int channel, int activation) {
  const double real = (double)input->scale * filter_scale(filter, channel) / (double)output->scale;
  const Rounding rounding = kernel->delegate->rounding == EXACT ? exact : kernel->delegate->rounding;
  int64_t code = rescale(accumulator, real, rounding) + output->zero_point;
  int64_t low = -128, high = 127;
  if (activation == ACTIVATION_RELU || activation == ACTIVATION_RELU6) low = output->zero_point;
  if (activation == ACTIVATION_RELU_N1_TO_1) low = output->zero_point + llroundf(-1.0f / output->scale);
  if (activation == ACTIVATION_RELU_N1_TO_1) high = output->zero_point + llroundf(1.0f / output->scale);
  if (activation == ACTIVATION_RELU6) high = output->zero_point + llroundf(6.0f / output->scale);
  if (low < -128) low = -128;
  if (high > 127) high = 127;
  if (code < low) code = low;
  if (code > high) code = high;
  return (int8_t)code;
}

static int pad_before(int padding, int input, int output, int kernel, int stride, int dilation) {
  const int total = (output - 1) * stride + (kernel - 1) * dilation + 1 - input;
  return padding == PADDING_SAME && total > 0 ? total / 2 : 0;
}

static void conv_2d(Context* context, Kernel* kernel, const Step* step) {
  const ConvOptions* options = step->options;
  const Tensor* input = &context->tensors[step->inputs->data[0]];
  const Tensor* filter = &context->tensors[step->inputs->data[1]];
  const Tensor* output = &context->tensors[step->outputs->data[0]];
  const int8_t* x = memory(context, kernel, step->inputs->data[0]);
  const int8_t* w = memory(context, kernel, step->inputs->data[1]);
  int8_t* y = memory(context, kernel, step->outputs->data[0]);
  const Tensor* bias = optional_input(context, step->inputs, 2);
  const int *in = input->shape->data, *taps = filter->shape->data, *out = output->shape->data;
  const int top = pad_before(options->padding, in[1], out[1], taps[1], options->stride_height, options->dilation_height);
  const int left = pad_before(options->padding, in[2], out[2], taps[2], options->stride_width, options->dilation_width);
  const bool zeros = kernel->delegate->fault == ZERO_PADDING;
  for (int b = 0; b < out[0]; ++b)
    for (int row = 0; row < out[1]; ++row)
      for (int column = 0; column < out[2]; ++column)
        for (int o = 0; o < out[3]; ++o) {
          int32_t sum = 0;
          for (int ky = 0; ky < taps[1]; ++ky)
            for (int kx = 0; kx < taps[2]; ++kx) {
              const int iy = row * options->stride_height - top + ky * options->dilation_height;
              const int ix = column * options->stride_width - left + kx * options->dilation_width;
              const bool inside = iy >= 0 && iy < in[1] && ix >= 0 && ix < in[2];
              if (!inside && !zeros) continue;
              for (int i = 0; i < in[3]; ++i) {
                const int code = inside ? x[((b * in[1] + iy) * in[2] + ix) * in[3] + i] : 0;
                sum += (code - input->zero_point) * w[((o * taps[1] + ky) * taps[2] + kx) * taps[3] + i];
              }
            }
          if (bias != NULL && kernel->delegate->fault != NO_BIAS) sum += ((const int32_t*)bias->data)[o];
          *y++ = output_code(kernel, DOUBLE, sum, input, filter, output, o, options->activation);
        }
}

static void fully_connected(Context* context, Kernel* kernel, const Step* step) {
  const FullyConnectedOptions* options = step->options;
  const Tensor* input = &context->tensors[step->inputs->data[0]];
  const Tensor* filter = &context->tensors[step->inputs->data[1]];
  const Tensor* output = &context->tensors[step->outputs->data[0]];
  const int8_t* x = memory(context, kernel, step->inputs->data[0]);
  const int8_t* w = memory(context, kernel, step->inputs->data[1]);
  int8_t* y = memory(context, kernel, step->outputs->data[0]);
  const Tensor* bias = optional_input(context, step->inputs, 2);
  const int outputs = filter->shape->data[0], depth = filter->shape->data[1];
  for (size_t row = 0; row < input->bytes / depth; ++row)
    for (int o = 0; o < outputs; ++o) {
      int32_t sum = 0;
      for (int i = 0; i < depth; ++i) sum += (x[row * depth + i] - input->zero_point) * w[o * depth + i];
      if (bias != NULL && kernel->delegate->fault != NO_BIAS) sum += ((const int32_t*)bias->data)[o];
      *y++ = output_code(kernel, FLOAT64, sum, input, filter, output, o, options->activation);
    }
}

static void* kernel_init(Context* context, const char* buffer, size_t length) {
  (void)length;
  const KernelNodes* nodes = (const KernelNodes*)buffer;
  Kernel* kernel = calloc(1, sizeof(Kernel));
  kernel->delegate = nodes->delegate->data;
  kernel->count = nodes->nodes->size;
  kernel->steps = calloc(kernel->count, sizeof(Step));
  kernel->tensors = context->tensors_size;
  kernel->scratch = calloc(kernel->tensors, sizeof(void*));
  for (int i = 0; i < kernel->count; ++i) {
    Node* node;
    Registration* registration;
    if (context->get_node(context, nodes->nodes->data[i], &node, &registration) != STATUS_OK) continue;
    kernel->steps[i] = (Step){registration->operator_code, node->inputs, node->outputs, node->options};
  }
  return kernel;
}

static void kernel_free(Context* context, void* data) {
  (void)context;
  Kernel* kernel = data;
  for (size_t i = 0; i < kernel->tensors; ++i) free(kernel->scratch[i]);
  free(kernel->scratch);
  free(kernel->steps);
  free(kernel);
}

static int kernel_prepare(Context* context, Node* node) {
  (void)context;
  (void)node;
  return STATUS_OK;
}

static int kernel_invoke(Context* context, Node* node) {
  Kernel* kernel = node->user_data;
  if (kernel->delegate->fault == CRASH) abort();
  for (int i = 0; i < kernel->count; ++i) {
    const Step* step = &kernel->steps[i];
    (step->code == OPERATOR_CONV_2D ? conv_2d : fully_connected)(context, kernel, step);
  }
  return STATUS_OK;
}

static bool taken(Context* context, const Node* node, const Registration* registration) {
  const int code = registration->operator_code;
  if (code != OPERATOR_CONV_2D && code != OPERATOR_FULLY_CONNECTED) return false;
  const Tensor* input = &context->tensors[node->inputs->data[0]];
  const Tensor* filter = &context->tensors[node->inputs->data[1]];
  const Tensor* bias = optional_input(context, node->inputs, 2);
  const Tensor* output = &context->tensors[node->outputs->data[0]];
  if (input->type != TYPE_INT8 || filter->type != TYPE_INT8 || output->type != TYPE_INT8) return false;
  if (bias != NULL && bias->type != TYPE_INT32) return false;
  if (code == OPERATOR_CONV_2D) return input->shape->data[3] == filter->shape->data[3];
  return ((const FullyConnectedOptions*)node->options)->weights_format == 0 && filter->zero_point == 0;
}

static int delegate_prepare(Context* context, Delegate* delegate) {
  IntArray* plan;
  if (context->get_execution_plan(context, &plan) != STATUS_OK) return STATUS_ERROR;
  IntArray* nodes = calloc(1, sizeof(IntArray) + plan->size * sizeof(int));
  for (int i = 0; i < plan->size; ++i) {
    Node* node;
    Registration* registration;
    if (context->get_node(context, plan->data[i], &node, &registration) != STATUS_OK) continue;
    if (taken(context, node, registration)) nodes->data[nodes->size++] = plan->data[i];
  }
  const Registration kernel = {.init = kernel_init,
                               .free = kernel_free,
                               .prepare = kernel_prepare,
                               .invoke = kernel_invoke,
                               .operator_code = OPERATOR_DELEGATE,
                               .name = "int8rt example",
                               .version = 1};
  const int status = context->replace_nodes(context, kernel, nodes, delegate);
  free(nodes);
  return status;
}

// The place of `value` among `names`; -1 where it is none of them.
static int find(const char* value, const char* const* names, int count) {
  for (int i = 0; i < count; ++i)
    if (strcmp(value, names[i]) == 0) return i;
  return -1;
}

__attribute__((visibility("default"))) Delegate* tflite_plugin_create_delegate(
    const char* const* keys, const char* const* values, size_t count, void (*report_error)(const char*)) {
  static const char* const roundings[] = {"exact", "double", "single", "float64", "float32", "truncate"};
  static const char* const faults[] = {"none", "zero_padding", "no_bias", "crash"};
  OwnDelegate* delegate = calloc(1, sizeof(OwnDelegate));
  delegate->base.data = delegate;
  delegate->base.prepare = delegate_prepare;
  for (size_t i = 0; i < count; ++i) {
    const bool is_rounding = strcmp(keys[i], "rounding") == 0;
    const int choice = is_rounding                      ? find(values[i], roundings, 6)
                       : strcmp(keys[i], "fault") == 0 ? find(values[i], faults, 4)
                                                        : -1;
    if (choice < 0) {
      if (report_error != NULL) report_error("the options are rounding and fault; see delegate.c for their values");
      free(delegate);
      return NULL;
    }
    if (is_rounding) {
      delegate->rounding = (Rounding)choice;
    } else {
      delegate->fault = (Fault)choice;
    }
  }
  return &delegate->base;
}

__attribute__((visibility("default"))) void tflite_plugin_destroy_delegate(Delegate* delegate) { free(delegate); }
