// The part of TensorFlow Lite's C interface that an external delegate needs, declared by layout alone.
//
// A delegate is handed pointers to the interpreter's own structures and to its functions; nothing is linked. Members
// that this delegate does not use are only there for the offsets of those that it does. The sizes are checked below,
// for 64-bit machines, against what tensorflow/lite and LiteRT have had since 2021.
#ifndef INT8RT_DELEGATE_ABI_H_
#define INT8RT_DELEGATE_ABI_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATUS_OK = 0, STATUS_ERROR = 1 };
enum { TYPE_INT32 = 2, TYPE_INT8 = 9 };
enum { OPERATOR_CONV_2D = 3, OPERATOR_FULLY_CONNECTED = 9, OPERATOR_DELEGATE = 51 };
enum { PADDING_SAME = 1, PADDING_VALID = 2 };
enum { ACTIVATION_NONE = 0, ACTIVATION_RELU = 1, ACTIVATION_RELU_N1_TO_1 = 2, ACTIVATION_RELU6 = 3 };
enum { QUANTIZATION_AFFINE = 1 };

typedef struct { int size; int data[]; } IntArray;
typedef struct { int size; float data[]; } FloatArray;

typedef struct {
  FloatArray* scale;
  IntArray* zero_point;
  int32_t dimension;
} AffineQuantization;

typedef struct {
  int type;
  void* data;
  IntArray* shape;
  float scale;
  int32_t zero_point;
  int allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  void* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  int quantization_type;
  void* quantization;
  void* sparsity;
  const IntArray* shape_signature;
} Tensor;

typedef struct {
  IntArray* inputs;
  IntArray* outputs;
  IntArray* intermediates;
  IntArray* temporaries;
  void* user_data;
  void* options;
  const void* custom_data;
  int custom_data_size;
  void* delegate;
  bool side_effects;
} Node;

typedef struct Context Context;
typedef struct Delegate Delegate;

typedef struct {
  void* (*init)(Context*, const char* buffer, size_t length);
  void (*free)(Context*, void* data);
  int (*prepare)(Context*, Node*);
  int (*invoke)(Context*, Node*);
  const char* (*profiling_string)(const Context*, const Node*);
  int32_t operator_code;
  const char* name;
  int version;
  void* external;
  void* async_kernel;
  uint64_t inplace;
} Registration;

struct Context {
  size_t tensors_size;
  int (*get_execution_plan)(Context*, IntArray** plan);
  Tensor* tensors;
  void* own;
  int (*resize_tensor)(Context*, Tensor*, IntArray* shape);
  void (*report_error)(Context*, const char* message, ...);
  int (*add_tensors)(Context*, int count, int* first);
  int (*get_node)(Context*, int index, Node**, Registration**);
  int (*replace_nodes)(Context*, Registration, const IntArray* nodes, Delegate*);
};

struct Delegate {
  void* data;
  int (*prepare)(Context*, Delegate*);
  void* copy_from_buffer;
  void* copy_to_buffer;
  void* free_buffer;
  int64_t flags;
  void* builder;
};

// What a kernel that stands for several nodes is initialized with.
typedef struct {
  Delegate* delegate;
  IntArray* nodes;
  IntArray* inputs;
  IntArray* outputs;
} KernelNodes;

typedef struct {
  int padding, stride_width, stride_height, activation, dilation_width, dilation_height;
} ConvOptions;

typedef struct {
  int activation, weights_format;
} FullyConnectedOptions;

_Static_assert(sizeof(Tensor) == 112 && sizeof(Node) == 80, "layout of tensors and nodes");
_Static_assert(sizeof(Registration) == 88 && sizeof(Delegate) == 56, "layout of kernels and delegates");

#endif  // INT8RT_DELEGATE_ABI_H_
