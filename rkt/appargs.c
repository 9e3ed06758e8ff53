/*
 * appargs — see appargs.h.
 *
 * One pass over the tokens.  What upstream got wrong is right here: empty strings are arguments
 * like any other, "---" may follow options, and options behind an image work like those before it.
 */
#include "rkt/appargs.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/strv.h"

struct walk {
	const struct opt_set *sets;
	size_t nsets;
	int argc;
	char *const *argv;
	int i;
	unsigned int flags;
	bool seen_positional; /* an image, or the one "--" that may stand before all of them */
	struct app_args *ret;
};

void app_arg_init(struct app_arg *a)
{
	*a = (struct app_arg){ .req.read_only = TRI_UNSET };
}

void app_arg_done(struct app_arg *a)
{
	free(a->image);
	free(a->signature);
	app_request_done(&a->req);
	app_arg_init(a);
}

void app_args_done(struct app_args *l)
{
	for (size_t i = 0; i < l->n; i++)
		app_arg_done(&l->v[i]);
	free(l->v);
	app_arg_done(&l->pod);
	l->v = NULL;
	l->n = 0;
}

static struct app_arg *last_app(struct walk *w)
{
	return w->ret->n ? &w->ret->v[w->ret->n - 1] : NULL;
}

static int take_image(struct walk *w, struct err *e)
{
	struct app_args *l = w->ret;
	if (!w->argv[w->i][0])
		return err_set(e, ERR_INPUT, EINVAL, "argument %d: an empty string is not an image",
			       w->i + 1);
	if (l->n == POD_APPS_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "more than %d images in one pod", POD_APPS_MAX);
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	app_arg_init(&l->v[l->n]);
	l->v[l->n++].image = xstrdup(w->argv[w->i++]);
	w->seen_positional = true;
	return 0;
}

/* w->i is at "--" behind an image: everything up to "---" is its arguments. */
static int take_arguments(struct walk *w, struct err *e)
{
	struct app_arg *a = last_app(w);
	if (!a)
		return err_set(e, ERR_INPUT, EINVAL, "\"--\" must follow an image");
	if (w->flags & APPARGS_NO_ARGS)
		return err_set(e, ERR_INPUT, EINVAL,
			       "\"--\": arguments for images are only for run and prepare");
	if (a->has_args)
		return err_set(e, ERR_INPUT, EINVAL,
			       "\"--\": the arguments of image \"%s\" were given already", a->image);
	a->has_args = true;
	for (w->i++; w->i < w->argc && strcmp(w->argv[w->i], "---") != 0; w->i++)
		strv_push(&a->req.args, w->argv[w->i]);
	if (w->i < w->argc)
		w->i++;
	return 0;
}

static int take_option(struct walk *w, struct err *e)
{
	struct app_arg *a = last_app(w);
	const struct opt *o = NULL;
	int r = opt_parse_one(w->sets, w->nsets, a ? a : &w->ret->pod, w->argc, w->argv, &w->i, &o, e);
	if (r < 0)
		return r;
	/* A mount before all images is for all of them; anything else of an app needs an app. */
	if ((o->flags & OPT_APP) && !a && strcmp(o->name, "mount") != 0)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: must follow the image it is for", o->name);
	return 0;
}

static int take_token(struct walk *w, struct err *e)
{
	const char *tok = w->argv[w->i];
	if (strcmp(tok, "---") == 0) {
		w->i++;
		return 0;
	}
	if (strcmp(tok, "--") == 0) {
		if (w->seen_positional)
			return take_arguments(w, e);
		w->seen_positional = true;
		w->i++;
		return 0;
	}
	if (tok[0] == '-' && tok[1])
		return take_option(w, e);
	return take_image(w, e);
}

static int check_app(const struct app_arg *a, struct err *e)
{
	if (a->req.caps_retain && a->req.caps_remove)
		return err_set(e, ERR_INPUT, EINVAL,
			       "image \"%s\": --caps-retain and --caps-remove exclude each other", a->image);
	return 0;
}

int appargs_parse(const struct opt_set *sets, size_t nsets, int argc, char *const *argv, unsigned int flags,
		  struct app_args *ret, struct err *e)
{
	struct walk w = {
		.sets = sets, .nsets = nsets, .argc = argc, .argv = argv, .flags = flags, .ret = ret
	};
	app_arg_init(&ret->pod);
	while (w.i < argc) {
		int r = take_token(&w, e);
		if (r < 0) {
			/* The full usage would hide what is wrong with a long line. */
			if (ret->n && e->cls == ERR_USAGE)
				e->cls = ERR_INPUT;
			return r;
		}
	}
	for (size_t i = 0; i < ret->n; i++) {
		int r = check_app(&ret->v[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}
