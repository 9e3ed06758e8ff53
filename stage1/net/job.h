/*
 * job — one call of the program net: what it was told, and the steps of its verbs.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage1/net/answer.h"
#include "stage1/net/attachment.h"
#include "stage1/net/confs.h"
#include "stage1/net/proxy.h"
#include "stage1/net/record.h"

struct net_job {
	/* the command line */
	bool debug;
	char *local_config;
	const char *system_config;
	char **net; /* values of --net */
	char **rest;
	/* the pod, for verbs that have one */
	struct net_pod pod;
	int lock_fd;       /* add: record_lock, or FD_NONE */
	struct record rec; /* what is on disk, and what is being added */
	/* add */
	struct net_specs specs;
	struct net_confs confs;
	struct port_maps ports; /* that the pod wants, whoever publishes them */
	struct proxy *proxy;    /* or NULL */
	struct net_answer answer;
};

/* add: connect the pod; answers over NET_FD_ANSWER; returns when there is nothing to serve. */
int net_add(struct net_job *j, struct err *e);
/* del: undo everything that the record names; goes on after errors and returns the first. */
int net_del(struct net_job *j, struct err *e);
/* reload: what somebody took out of the host's firewall is put back, and everything is looked at.  Needs the namespace. */
int net_reload(struct net_job *j, struct err *e);
/* list: the networks that are configured, as JSON on standard output. */
int net_list(struct net_job *j, struct err *e);
/* rm NAME: what pods of this network have left when none is in it any more. */
int net_rm(struct net_job *j, struct err *e);

/* The firewall as the record says; *ret_forwarded as fw_set. @all: masquerading of plugins' networks, too, which
 * their plugins have set up once and never look after. */
int net_apply_firewall(const struct net_job *j, bool all, bool *ret_forwarded, struct err *e);
/* The network that published ports lead to: the first that masquerades, else the last that is there.  NULL: none. */
const struct attachment *net_port_network(const struct record *r);
