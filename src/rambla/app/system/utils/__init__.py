"""The actions of `/whisk.system/utils`: text that runs in a sandbox, where nothing of the platform is."""
